/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CONTENT_H
#define FELLOE_CONTENT_H

#include "noded/files/tar.h"

/* The content of one regular file into a member, with its holes, and whatever
 * happens to it meanwhile. */

struct content;
/* Bytes of content are added to *bytes. */
struct content *content_new(const struct tar_sink *sink, uint64_t *bytes);
void content_free(struct content *c);

/* Read the extended attributes that a restore can set again: user.*, trusted.*,
 * security.capability and POSIX ACLs; at most 1 MiB of them. */
void content_xattrs(struct content *c, int fd, struct tar_entry *t);
/* begin, write..., end; t gets its size and time. 1 the member is written (*why:
 * a doubt, or NULL), 0 it is not (*why says), -1 the sink failed. why is a text
 * that stays. */
int content_put(struct content *c, int fd, struct tar_entry *t, const char **why, struct err *e) MUSTCHECK;

#endif
