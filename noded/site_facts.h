/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NODED_SITE_FACTS_H
#define FELLOE_NODED_SITE_FACTS_H

#include <stdint.h>

/* What an admin wants to know of a site that was found, beside its database. */

/* "WordPress 6.4.2" from wp-includes/version.php beside wp_content_path, read
 * without running it; "WordPress" when that file does not say. Yours. */
char *site_kind(const char *wp_content_path);
/* Bytes of all regular files below dir on its file system; symbolic links are
 * not followed. -1 when dir is "" or cannot be read at all. Reads every
 * directory: seconds on a large site. */
int64_t site_bytes(const char *dir);

#endif
