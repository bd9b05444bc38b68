/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NODED_SITE_H
#define FELLOE_NODED_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "noded/config.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/mem.h"

/* The database behind a site, and which sites there are on a server. */

/* The database of a site, complete: each field that config.json leaves empty is
 * taken from its wp-config.php. *db_name is "" when the site has no database at
 * all (no wp_config_path, no db_name). ERR_CONFIG names the constant that could
 * not be read and what to write into config.json instead. */
int site_db(struct db_access *ret, char **db_name, const struct site *s, struct err *e) MUSTCHECK;
void db_access_done(struct db_access *a); /* wipes the password */

/* A WordPress site met on disk. */
struct found_site {
	char *name;            /* a valid, unique name made from the path */
	char *wp_config_path;
	char *wp_content_path; /* "" when there is none */
	char *db_name, *db_user, *db_host, *table_prefix; /* "" when not known */
	char *problem;         /* why the database cannot be read from it, "" */
};
struct found_sites {
	LIST_OF(struct found_site);
	bool cut;              /* more directories than we look at */
	unsigned unreadable;   /* directories passed over because they cannot be read */
};
/* Look for wp-config.php under dirs (down to 6 levels, symbolic links are not
 * followed), in order of path; with empty dirs under /var/www, /srv and
 * /home/X/public_html. A given directory that cannot be read is an error, a
 * default one that is missing is not. */
int site_find(struct found_sites *ret, const struct strings *dirs, struct err *e) MUSTCHECK;
void found_sites_done(struct found_sites *f);

#endif
