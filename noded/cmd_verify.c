/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/cmd.h"
#include "noded/run/catalogue.h"
#include "noded/run/find.h"
#include "noded/run/verify.h"
#include "shared/daemon.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded verify [SITE] [--run ID] [--full]: is what is stored still what was written? */

struct verification {
	const struct config *config;
	struct catalogue *catalogue;
	const char *run, *from;
	bool full;
	const char *key;       /* at work */
};

static void print_damage(void *ctx, const char *member, const char *why)
{
	const struct verification *v = ctx;
	CLEANUP(freep) char *name = xstrdup(member);
	CLEANUP(freep) char *text = xstrdup(why);

	str_clean(name);
	str_clean(text);
	printf("DAMAGED %s%s%s: %s\n", v->key, *name ? " " : "", name, text);
	fflush(stdout);
}

/* 0 sound, 1 damaged, -1 cannot be told. */
static int verify_one(struct verification *v, const struct found_archive *a, struct err *e)
{
	const struct verify_opts o = {.config = v->config, .full = v->full, .damaged = print_damage, .ctx = v};
	struct verify_result r;
	char bytes[UNITS_TEXT];

	v->key = a->key;
	if (verify_archive(&o, a, &r, e))
		return -1;
	if (r.no_sidecar && !r.damaged)
		log_warn("%s: its sidecar (.idx) is missing; every member was read instead", a->key);
	if (r.damaged)
		printf("%s on %s: %llu damaged\n", a->key, a->storage, (unsigned long long)r.damaged);
	else
		printf("%s on %s: sound, %s read%s\n", a->key, a->storage, units_bytes(bytes, r.fetched),
		       v->full || r.no_sidecar ? ", every member unpacked" : "");
	fflush(stdout);
	return r.damaged ? 1 : 0;
}

static int verify_site(struct verification *v, const char *site)
{
	const struct find_opts o = {.config = v->config, .catalogue = v->catalogue, .site = site,
				    .at = v->run ? v->run : "latest", .from = v->from};
	struct found_archives found;
	struct err e;
	int worst = 0;

	if (find_run(&o, &found, &e))
		return cmd_fail(&e);
	for (size_t i = 0; i < found.n && !daemon_stopping(); i++) {
		int rc = verify_one(v, &found.v[i], &e);

		if (rc < 0)
			worst = cmd_fail(&e);
		else if (rc > 0 && !worst)
			worst = 1;
	}
	list_done(&found);
	return daemon_stopping() ? 1 : worst;
}

int cmd_verify(int argc, char **argv)
{
	CLEANUP(config_freep) struct config *config = NULL;
	CLEANUP(catalogue_closep) struct catalogue *catalogue = NULL;
	struct verification v = {0};
	struct cmd c = {0};
	const struct opt opts[] = {
		{.name = "run", .type = OPT_STR, .to = &v.run, .arg = "ID",
		 .help = "This run (its id or the beginning of it) instead of the last good one."},
		{.name = "full", .type = OPT_FLAG, .to = &v.full,
		 .help = "Unpack every member and check its own digest as well."},
		{.name = "from", .type = OPT_STR, .to = &v.from, .arg = "STORAGE",
		 .help = "Search this storage instead of the records of this node."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n), worst = 0;
	struct err e;

	if (rc >= 0)
		return rc;
	daemon_signals();
	if (cmd_config(&c, &config, &e) || catalogue_open(&catalogue, &e))
		return cmd_fail(&e);
	v.config = config;
	v.catalogue = catalogue;
	for (int i = 1; i <= n; i++) {
		rc = verify_site(&v, argv[i]);
		worst = rc ? rc : worst;
	}
	for (size_t i = 0; n == 0 && i < config->sites.n && worst != 2; i++) {
		rc = verify_site(&v, config->sites.v[i].name);
		worst = rc ? rc : worst;
	}
	return worst;
}
