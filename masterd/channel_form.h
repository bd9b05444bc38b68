/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CHANNEL_FORM_H
#define FELLOE_CHANNEL_FORM_H

#include "masterd/tbl_channel.h"
#include "shared/json.h"

/* A channel out of what a person sends (docs/api.md), judged whole. Members
 * that are not there keep what old has; NULL for a new one. Fills all of c but
 * its numbers and times; *secrets is yours (wipe and free): the JSON object to
 * be sealed. */
struct channel_old {
	const struct alert_channel *channel;
	const char *secrets;      /* JSON object */
};
void channel_form(struct alert_channel *c, const struct json *body, const struct channel_old *old, char **secrets,
		  struct problems *p);

/* As GET /channels shows it. */
void channel_put(struct json_out *o, const struct alert_channel *c);

#endif
