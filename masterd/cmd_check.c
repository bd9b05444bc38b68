/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "masterd/config.h"
#include "masterd/selfsign.h"
#include "masterd/svc_secret.h"
#include "masterd/tbl_user.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/opt.h"

enum { EXPIRES_SOON_D = 21, DAY_S = 86400, FREE_MIN_MB = 1024, FREE_MIN_PERCENT = 5 };

static int check_tls(const struct config *c, struct err *e)
{
	uint8_t spki[32];
	int64_t left;
	char pin[64];

	if (!c->tls_cert) {
		printf("%s  plain HTTP on %s\n", c->insecure_http ? "warn" : "ok", c->listen);
		return 0;
	}
	if (cert_fits(c->tls_cert, c->tls_key, e) || cert_spki(c->tls_cert, spki, e) ||
	    cert_expires_s(c->tls_cert, &left, e))
		return -1;
	spki_text(pin, spki);
	printf("ok  TLS %s, public key %s\n", c->tls_cert, pin);
	if (left < 0)
		printf("warn  tls_cert: %s expired %lld days ago\n", c->tls_cert, (long long)(-left / DAY_S));
	else if (left < EXPIRES_SOON_D * DAY_S)
		printf("warn  tls_cert: %s expires in %lld days: renew it, then SIGHUP\n", c->tls_cert,
		       (long long)(left / DAY_S));
	else
		printf("ok  it is valid for %lld days\n", (long long)(left / DAY_S));
	return 0;
}

static int check_user(const struct config *c, struct err *e)
{
	const struct passwd *pw = c->user ? getpwnam(c->user) : NULL;
	struct stat st;

	if (!c->user)
		return 0;
	if (!pw)
		return err_set(e, ERR_CONFIG, "user: there is no user \"%.64s\" on this machine", c->user);
	if (!stat(c->state_dir, &st) && st.st_uid != pw->pw_uid && geteuid() == 0)
		return err_set(e, ERR_CONFIG, "state_dir: %s does not belong to %s: chown -R %s %s", c->state_dir, c->user,
			       c->user, c->state_dir);
	printf("ok  runs as %s\n", c->user);
	return 0;
}

static void check_space(const struct config *c)
{
	unsigned long long free_mb, percent;
	struct statvfs v;

	if (statvfs(c->state_dir, &v) || !v.f_blocks) {
		printf("warn  state_dir: %s cannot be looked at yet\n", c->state_dir);
		return;
	}
	free_mb = (unsigned long long)v.f_bavail * v.f_frsize >> 20;
	percent = (unsigned long long)v.f_bavail * 100 / v.f_blocks;
	printf("%s  %llu MiB (%llu %%) are free in %s\n",
	       free_mb < FREE_MIN_MB || percent < FREE_MIN_PERCENT ? "warn" : "ok", free_mb, percent, c->state_dir);
}

/* Samples and codes need the right time: does somebody keep it? (adjtimex(2)) */
static void check_clock(void)
{
	struct timex t = {0};
	int state = adjtimex(&t);

	if (state < 0)
		printf("warn  whether the clock is kept right cannot be seen here\n");
	else if (state == TIME_ERROR || (t.status & STA_UNSYNC))
		printf("warn  the clock is not synchronized: timedatectl set-ntp true\n");
	else
		printf("ok  the clock is synchronized\n");
}

static int check_database(const struct config *c, struct err *e)
{
	CLEANUP(freep) char *shown = db_shown(c->database);
	CLEANUP(db_closep) struct db *db = NULL;
	struct users users = {0};
	char about[DB_ABOUT];
	size_t admins = 0;
	bool fits;
	int pending;

	if (db_open(&db, c->database, true, e) || db_pending(db, &pending, e) || db_judge(db, about, e) ||
	    tbl_user_list(db, &users, e) || secret_fits(db, c, &fits, e))
		return -1;
	for (size_t i = 0; i < users.n; i++)
		admins += users.v[i].role == ROLE_SUPER_ADMIN && !users.v[i].disabled;
	printf("ok  %s, %s, %zu users\n", shown, about, users.n);
	if (pending)
		printf("ok  %d migrations are left for the next start\n", pending);
	if (!fits)
		printf("warn  jwt_secret is not the one that this database was used with: its sessions end, one-time codes and "
		       "secrets of channels do not open\n");
	list_done(&users);
	if (!admins)
		return err_set(e, ERR_CONFIG, "no user is super_admin: felloe-masterd user add NAME --role super_admin");
	return 0;
}

static int check(const char *path, struct err *e)
{
	CLEANUP(config_freep) struct config *c = NULL;

	if (config_load(&c, path, e))
		return -1;
	printf("ok  %s\n", path);
	if (check_tls(c, e) || check_user(c, e) || check_database(c, e))
		return -1;
	check_space(c);
	check_clock();
	return 0;
}

int cmd_check(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {.usage = "check [options]"};
	const struct opt opts[] = {CMD_OPTS(c), {0}};
	int rc = cmd_start(&c, opts, argc, argv, NULL);
	struct err e = {0};

	if (rc >= 0)
		return rc;
	return check(c.path, &e) ? cmd_failed(&e) : 0;
}
