/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_REQUEST_H
#define FELLOE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/agent/send.h"
#include "noded/config.h"
#include "shared/err.h"
#include "shared/json.h"

/* What the master asks this node to do. Only verbs that allow_requests names are
 * obeyed. Each request is written down (state/node/requests/ID.json) before
 * anything is done, and never done twice, whatever ends the agent. Backups,
 * checks and restores run by themselves (cmd_request.c), never as part of the
 * agent. */
struct requests;

/* Those that were taken in an earlier life are known again. */
struct requests *requests_open(void);
void requests_free(struct requests *q);

/* requests[] of an answer of the master, whose clock is now (ms). */
void requests_take(struct requests *q, const struct config *c, const struct json *list, int64_t now);
/* Tell the master what it does not know yet. */
int requests_tell(struct requests *q, struct sender *s, struct err *e) MUSTCHECK;
/* Begin what the master knows to be accepted; look after what runs. */
void requests_work(struct requests *q, const struct config *c);

/* ---- for the program that carries one out */

/* Its file, and the lock that its process holds. Yours. */
char *request_file(const char *id, const char *ending);
/* Is id one that a master gives: letters, digits, '-'? */
bool request_is_id(const char *id);
/* What came of it (exit code of the verb): kept for the agent. */
int request_outcome(const char *id, int exit_code, const char *reason, const char *run, struct err *e) MUSTCHECK;

#endif
