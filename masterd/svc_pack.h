/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_PACK_H
#define FELLOE_SVC_PACK_H

#include "masterd/master.h"

/* Every ten minutes, on the master that leads: all that memory holds goes into
 * blocks, a few nodes a job so that nobody waits for the writer; then the rows
 * of the journal that were read by then are deleted. What is past its time goes
 * too, once an hour. A pass that is cut short harms nothing: the next one finds
 * what is there (history_pack_node). */
struct packer;
struct packer *packer_new(struct master *m);
void packer_free(struct packer *p);
/* Five times a second. */
void packer_tick(struct master *m, int64_t now);

#endif
