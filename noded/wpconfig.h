/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NODED_WPCONFIG_H
#define FELLOE_NODED_WPCONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/err.h"

/* What a wp-config.php says, read without running it. */

/* One constant as the PHP source gives it. */
struct php_value {
	char *text;          /* NULL: not there, or not a text that can be known without running PHP */
	unsigned line;       /* of the define(), 0: none */
	char *why;           /* why text is NULL although there is a define() */
};

enum wp_constant { WP_DB_NAME, WP_DB_USER, WP_DB_PASSWORD, WP_DB_HOST, WP_DB_CHARSET, WP_CONTENT_DIR, WP_CONSTANTS };

struct wp_config {
	struct php_value constants[WP_CONSTANTS];
	struct php_value table_prefix;
	unsigned include_line; /* of a require or include of a file other than wp-settings.php, 0: none */
};

/* Read the define() calls, const statements and $table_prefix of a
 * wp-config.php. Understood: comments, both kinds of quotes with their escapes,
 * heredoc and nowdoc, concatenation, getenv("X") ?: "default" (the variable is
 * looked up in our own environment), constants that were defined above. A
 * constant that gets two different values counts as not known. ERR_INVALID when
 * there is no PHP in it or a comment or text does not end;
 * ERR_LIMIT for a file of more than 1 MiB, ERR_NOTFOUND, ERR_IO. */
int wp_config_read(struct wp_config *ret, const char *path, struct err *e) MUSTCHECK;
void wp_config_done(struct wp_config *w);
const char *wp_constant_name(enum wp_constant c); /* "DB_NAME" */

#endif
