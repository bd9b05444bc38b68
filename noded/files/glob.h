/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_GLOB_H
#define FELLOE_GLOB_H

#include <stdbool.h>

#include "shared/err.h"

/* Exclude rules in the manner of gitignore(5). Names are relative to the root of
 * the walk, without a leading "/". */

struct globs;
struct globs *globs_new(void);
void globs_free(struct globs *g);
void globs_freep(struct globs **g);

/* One rule. "cache/" directories of that name anywhere, "*.log" at any depth, a
 * "/" at the start or in the middle ties it to the root, "**" crosses "/", "!"
 * takes names back in, "\" quotes, "#" and empty lines do nothing. The last rule
 * that matches decides. ERR_INVALID: longer than 1,000 bytes, a "[" without "]". */
int globs_add(struct globs *g, const char *rule, struct err *e) MUSTCHECK;
/* What WordPress can make anew, with wp-content as the root: /cache/,
 * /uploads/cache/, /w3tc-config/, /debug.log, and node_modules/, .git/ anywhere.
 * "cache/" is tied to the root: plugins keep source code in folders of that name. */
void globs_add_wordpress(struct globs *g);

/* Is the name excluded? g NULL: never. A name below an excluded directory is
 * not asked for: the walk does not enter it. */
bool globs_match(const struct globs *g, const char *name, bool is_dir);

#endif
