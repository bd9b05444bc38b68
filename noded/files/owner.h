/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_OWNER_H
#define FELLOE_OWNER_H

#include <sys/types.h>

/* Names of users and groups, asked for once: getpwuid(3) may be slow. */
struct owners;
struct owners *owners_new(void);
void owners_free(struct owners *o);
/* NULL when the number has no name; lent, good as long as o. */
const char *owners_user(struct owners *o, uid_t uid);
const char *owners_group(struct owners *o, gid_t gid);

#endif
