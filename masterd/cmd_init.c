/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "masterd/config.h"
#include "masterd/selfsign.h"
#include "masterd/tbl_user.h"
#include "shared/crypt.h"
#include "shared/fs.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/opt.h"
#include "shared/str.h"

struct init_opts {
	const char *listen, *database, *state, *admin, *password_file, *cert, *key;
	bool self_signed, insecure;
};

#define SERVICE_USER "felloe"

/* As root for the whole system, not in a scratch directory. */
static bool system_wide(const struct init_opts *o)
{
	return geteuid() == 0 && !o->state && str_empty(getenv("FELLOE_STATE"));
}

static int judge(const struct init_opts *o, struct err *e)
{
	char host[64];
	uint16_t port;

	if (o->self_signed + o->insecure + (o->cert || o->key) > 1)
		return err_set(e, ERR_USAGE, "--self-signed, --tls-cert with --tls-key, and --insecure-http exclude each other");
	if (!o->cert != !o->key)
		return err_set(e, ERR_USAGE, "--tls-cert and --tls-key belong together");
	if (system_wide(o) && !getpwnam(SERVICE_USER))
		return err_set(e, ERR_CONFIG, "there is no user \"" SERVICE_USER "\" to run as: make it with "
			       "systemd-sysusers, or useradd --system " SERVICE_USER);
	if (config_listen(o->listen, host, sizeof(host), &port, e))
		return -1;
	if (!o->self_signed && !o->cert && !o->insecure && !config_is_loopback(host))
		return err_set(e, ERR_USAGE, "%s is reachable from outside: add --self-signed, or --tls-cert and --tls-key, "
			       "or --insecure-http behind a TLS proxy", host);
	return 0;
}

/* The directory of a file. Yours. */
static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* A certificate for the name that clients will use: the address we listen on,
 * or this machine's name when that is "all addresses". */
static int make_pair(struct config *c, const char *dir, struct err *e)
{
	char host[256];
	uint16_t port;

	if (config_listen(c->listen, host, sizeof(host), &port, e))
		return -1;
	if ((str_eq(host, "0.0.0.0") || str_eq(host, "::")) && gethostname(host, sizeof(host) - 1))
		return err_sys(e, ERR_IO, "hostname");
	c->tls_cert = xasprintf("%s/master.crt", dir);
	c->tls_key = xasprintf("%s/master.key", dir);
	return selfsign(c->tls_cert, c->tls_key, host, e);
}

/* What the file names must be found from any directory. Yours; NULL for NULL. */
static char *absolute(const char *path)
{
	CLEANUP(freep) char *here = NULL;

	if (!path || path[0] == '/')
		return xstrdup(path);
	here = getcwd(NULL, 0);
	return here ? xasprintf("%s/%s", here, path) : xstrdup(path);
}

char *cmd_whole_url(const char *url)
{
	CLEANUP(freep) char *path = NULL;
	char line[4096];

	if (str_eq(url, "-")) {
		if (!fgets(line, sizeof(line), stdin))
			line[0] = '\0';
		line[strcspn(line, "\r\n")] = '\0';
		path = xstrdup(line);
		mem_wipe(line, sizeof(line));
		return cmd_whole_url(path);
	}
	if (!str_starts(url, "sqlite:"))
		return xstrdup(url);
	path = absolute(url + strlen("sqlite:"));
	return xasprintf("sqlite:%s", path);
}

static char *database_url(const char *given, const char *state_dir)
{
	return given ? cmd_whole_url(given) : xasprintf("sqlite:%s/master.db", state_dir);
}

static void fill(struct config *c, const struct init_opts *o)
{
	CLEANUP(freep) char *state = fs_state_dir("master");
	uint8_t random[48];

	c->state_dir = absolute(state);
	c->listen = xstrdup(o->listen);
	c->database = database_url(o->database, c->state_dir);
	c->insecure_http = o->insecure;
	c->tls_cert = absolute(o->cert);
	c->tls_key = absolute(o->key);
	if (system_wide(o))
		c->user = xstrdup(SERVICE_USER);
	random_bytes(random, sizeof(random));
	c->jwt_secret = base64url_encode(random, sizeof(random));
	mem_wipe(random, sizeof(random));
}

static int give(const char *path, const struct passwd *pw, struct err *e)
{
	if (path && !chown(path, pw->pw_uid, pw->pw_gid))
		return 0;
	if (!path || errno == ENOENT)
		return 0;
	return err_sys(e, ERR_IO, "give %s to %s", path, pw->pw_name);
}

int cmd_give_database(const char *user, const char *url, struct err *e)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	const struct passwd *pw = user && geteuid() == 0 ? getpwnam(user) : NULL;

	for (size_t i = 0; pw && str_starts(url, "sqlite:") && i < ARRAY_LEN(ends); i++) {
		CLEANUP(freep) char *file = xasprintf("%s%s", url + strlen("sqlite:"), ends[i]);

		if (give(file, pw, e))
			return -1;
	}
	return 0;
}

/* As root: what run needs belongs to the user that it becomes. */
static int give_files(const struct config *c, const char *config_path, bool own_pair, struct err *e)
{
	const struct passwd *pw = c->user ? getpwnam(c->user) : NULL;

	if (!pw)
		return 0;
	if (give(config_path, pw, e) || give(c->state_dir, pw, e) || cmd_give_database(c->user, c->database, e))
		return -1;
	return own_pair && (give(c->tls_cert, pw, e) || give(c->tls_key, pw, e)) ? -1 : 0;
}

static int make_database(const struct config *c, const struct init_opts *o, char **made, struct err *e)
{
	CLEANUP(db_closep) struct db *db = NULL;
	CLEANUP(freep) char *shown = db_shown(c->database);
	struct users users = {0};
	size_t n;

	if (db_open(&db, c->database, false, e) || db_migrate(db, e) || tbl_user_list(db, &users, e))
		return -1;
	n = users.n;
	list_done(&users);
	if (n)
		return err_set(e, ERR_CONFLICT, "%s holds a master with %zu user%s already: put its master.json back, "
			       "or move the database away", shown, n, n == 1 ? "" : "s");
	return cmd_add_user(db, o->admin, "super_admin", o->password_file, made, e);
}

/* All that is written. A pair that nothing refers to is not left behind: the next try would stumble over it. */
static int make_all(struct config *c, const struct init_opts *o, const char *path, char **made, struct err *e)
{
	CLEANUP(freep) char *dir = dir_of(path);
	/* /var/lib/felloe is shared with the node: anybody may pass */
	CLEANUP(freep) char *above = dir_of(c->state_dir);

	if (fs_mkdirs(dir, 0755, e) || fs_mkdirs(above, 0755, e) || fs_mkdirs(c->state_dir, 0700, e) ||
	    (o->self_signed && make_pair(c, dir, e)))
		return -1;
	if (!make_database(c, o, made, e) && !config_write(path, c, e) && !give_files(c, path, o->self_signed, e))
		return 0;
	if (o->self_signed && !fs_exists(path)) {
		unlink(c->tls_cert);
		unlink(c->tls_key);
	}
	return -1;
}

static int init(const char *given, const struct init_opts *o, struct err *e)
{
	CLEANUP(config_freep) struct config *c = xcalloc(1, sizeof(*c));
	CLEANUP(freep) char *path = absolute(given);
	CLEANUP(freep) char *made = NULL;
	char pin[64];
	uint8_t spki[32];

	if (judge(o, e) || crypt_init(e))
		return -1;
	if (fs_exists(path))
		return err_set(e, ERR_CONFLICT, "%s exists already: this master is set up; "
			       "felloe-masterd user passwd sets a new password", path);
	fill(c, o);
	if (make_all(c, o, path, &made, e))
		return -1;
	printf("wrote %s\n", path);
	if (made) {
		printf("user %s, password %s   (shown once, kept nowhere)\n", o->admin, made);
		mem_wipe(made, strlen(made));
	}
	if (c->tls_cert && !cert_spki(c->tls_cert, spki, e)) {
		spki_text(pin, spki);
		printf("public key of the master, to compare on nodes and consoles: %s\n", pin);
	}
	return 0;
}

int cmd_init(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {.usage = "init [options]"};
	struct init_opts o = {.listen = "127.0.0.1:8443", .admin = "admin"};
	const struct opt opts[] = {
		{.name = "listen", .type = OPT_STR, .to = &o.listen, .arg = "ADDR:PORT", .help = "where to listen (127.0.0.1:8443)"},
		{.name = "database", .type = OPT_STR, .to = &o.database, .arg = "URL",
		 .help = "sqlite:/path (default: in the state directory) or postgresql://user@host/name; "
			 "- reads it from standard input (a password has no place in a command line)"},
		{.name = "admin", .type = OPT_STR, .to = &o.admin, .arg = "NAME", .help = "first super_admin (admin)"},
		{.name = "password-file", .type = OPT_STR, .to = &o.password_file, .arg = "FILE",
		 .help = "the admin's password in its first line; without it one is made and printed once"},
		{.name = "self-signed", .type = OPT_FLAG, .to = &o.self_signed, .help = "make a key and certificate beside master.json"},
		{.name = "tls-cert", .type = OPT_STR, .to = &o.cert, .arg = "FILE", .help = "certificate (PEM, with its chain)"},
		{.name = "tls-key", .type = OPT_STR, .to = &o.key, .arg = "FILE", .help = "its key (PEM)"},
		{.name = "insecure-http", .type = OPT_FLAG, .to = &o.insecure,
		 .help = "plain HTTP beyond loopback, for a TLS proxy on a trusted network"},
		CMD_OPTS(c),
		{0},
	};
	int rc = cmd_start(&c, opts, argc, argv, NULL);
	struct err e = {0};

	if (rc >= 0)
		return rc;
	o.state = c.state;
	return init(c.path, &o, &e) ? cmd_failed(&e) : 0;
}
