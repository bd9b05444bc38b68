/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FILE_MAX = 65536, EARLY_MS = 60000 };

static void wipe(char **s)
{
	if (*s)
		mem_wipe(*s, strlen(*s));
	freep(s);
	*s = NULL;
}

static void set(char **to, const char *value)
{
	char *copy = xstrdup(str_empty(value) ? NULL : value);

	wipe(to);
	*to = copy;
}

void session_done(struct session *s)
{
	wipe(&s->master);
	wipe(&s->pin);
	wipe(&s->user);
	wipe(&s->role);
	wipe(&s->access);
	wipe(&s->refresh);
	*s = (struct session){0};
}

void session_replace(struct session *s, const char *master, const char *user, const char *pin)
{
	wipe(&s->access);
	wipe(&s->refresh);
	s->in_file = false;
	if (master) {
		set(&s->master, master);
		wipe(&s->pin);
	}
	if (user)
		set(&s->user, user);
	if (pin)
		set(&s->pin, pin);
}

static char *config_path(const char *name)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (!str_empty(xdg) && xdg[0] == '/')
		return xasprintf("%s/felloe%s%s", xdg, name[0] ? "/" : "", name);
	return xasprintf("%s/.config/felloe%s%s", str_or(home, "/root"), name[0] ? "/" : "", name);
}

static int check_mode(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st))
		return errno == ENOENT ? 0 : err_sys(e, ERR_IO, "%s", path);
	if (st.st_mode & 077)
		return err_set(e, ERR_CONFIG, "%s may be read by others; run: chmod 600 %s", path, path);
	return 0;
}

int session_load(struct session *ret, struct err *e)
{
	CLEANUP(freep) char *path = config_path("session");
	CLEANUP(json_freep) struct json *j = NULL;
	char why[ERR_MSG_MAX - 64];

	*ret = (struct session){0};
	if (!fs_exists(path))
		return 0;
	if (check_mode(path, e))
		return -1;
	if (json_parse_file(&j, path, FILE_MAX, e)) {
		str_cut(why, sizeof(why), e->msg);
		return err_set(e, e->kind, "%s; remove it and sign in again", why);
	}
	set(&ret->master, json_get_str(j, "master", NULL));
	set(&ret->pin, json_get_str(j, "pin_sha256", NULL));
	set(&ret->user, json_get_str(j, "user", NULL));
	set(&ret->role, json_get_str(j, "role", NULL));
	set(&ret->access, json_get_str(j, "access_token", NULL));
	set(&ret->refresh, json_get_str(j, "refresh_token", NULL));
	ret->expires = json_get_time(j, "expires");
	ret->in_file = ret->access != NULL;
	return 0;
}

int session_save(const struct session *s, struct err *e)
{
	CLEANUP(freep) char *dir = config_path(""), *path = config_path("session");
	struct json_out o;
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	json_put_str(&o, "master", s->master);
	json_put_str(&o, "pin_sha256", s->pin);
	json_put_str(&o, "user", s->user);
	if (s->in_file) {
		json_put_str(&o, "role", s->role);
		json_put_str(&o, "access_token", s->access);
		json_put_str(&o, "refresh_token", s->refresh);
		json_put_time(&o, "expires", s->expires);
	}
	json_end_obj(&o);
	buf_addc(&b, '\n');
	rc = buf_check(&b, "session", e) || fs_mkdirs(dir, 0700, e) || fs_write(path, b.p, b.len, 0600, e) ? -1 : 0;
	mem_wipe(b.p, b.len);
	buf_done(&b);
	return rc;
}

int session_forget(struct err *e)
{
	struct session s;
	int rc;

	if (session_load(&s, e))
		return -1;
	s.in_file = false;
	rc = s.master ? session_save(&s, e) : 0;
	session_done(&s);
	return rc;
}

int session_client(const struct session *s, struct client **ret, struct err *e)
{
	struct client_opts o = {.url = s->master, .pin = s->pin, .user_agent = "felloe"};

	if (str_empty(s->master))
		return err_set(e, ERR_USAGE, "which master? give --master URL or set FELLOE_MASTER");
	if (client_new(ret, &o, e))
		return -1;
	client_set_token(*ret, s->access);
	return 0;
}

static int take_tokens(struct session *s, struct client *c, const struct json *j, struct err *e)
{
	const char *access = json_get_str(j, "access_token", NULL);

	if (!access)
		return err_set(e, ERR_INVALID, "the master's answer has no access_token: is this a felloe-masterd?");
	set(&s->access, access);
	if (json_get_str(j, "refresh_token", NULL))
		set(&s->refresh, json_get_str(j, "refresh_token", NULL));
	s->expires = clock_ms() + json_get_int(j, "expires_in", 900) * 1000;
	client_set_token(c, s->access);
	return 0;
}

static int whoami(struct session *s, struct client *c, struct err *e)
{
	struct client_reply r;

	if (client_do(c, &(struct client_call){.method = "GET", .path = "/auth/me"}, &r, e))
		return client_reply_done(&r), -1;
	set(&s->role, json_get_str(r.json, "role", NULL));
	client_reply_done(&r);
	return 0;
}

/* Posts what o has written into b (secrets, so b is wiped) without a token, and takes the new tokens. */
static int post_for_tokens(struct session *s, struct client *c, const char *path, struct buf *b, bool *otp_wanted,
			   struct err *e)
{
	struct client_reply r;
	int rc;

	client_set_token(c, NULL);
	rc = client_do(c, &(struct client_call){.method = "POST", .path = path, .body = b->p}, &r, e) ||
	     take_tokens(s, c, r.json, e);
	if (otp_wanted)
		*otp_wanted = rc && json_get_bool(r.json, "otp_required", false);
	client_reply_done(&r);
	mem_wipe(b->p, b->len);
	buf_done(b);
	return rc ? -1 : 0;
}

int session_login(struct session *s, struct client *c, const struct session_proof *p, struct err *e)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "username", s->user);
	json_put_str(&o, "password", p->password);
	if (!str_empty(p->otp))
		json_put_str(&o, "otp", p->otp);
	json_end_obj(&o);
	return post_for_tokens(s, c, "/auth/login", &b, p->otp_wanted, e) || whoami(s, c, e) ? -1 : 0;
}

int session_password(struct session *s, struct client *c, const char *before, const char *after, struct err *e)
{
	struct client_reply r;
	struct json_out o;
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "old_password", before);
	json_put_str(&o, "new_password", after);
	json_end_obj(&o);
	rc = session_do(s, c, &(struct session_call){.method = "PUT", .path = "/auth/password", .body = b.p}, &r, e) ||
	     take_tokens(s, c, r.json, e);
	client_reply_done(&r);
	mem_wipe(b.p, b.len);
	buf_done(&b);
	return rc ? -1 : 0;
}

static int lock_file(struct err *e)
{
	CLEANUP(freep) char *path = config_path("session.lock");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, ERR_IO, "open %s", path);
	while (flock(fd, LOCK_EX))
		if (errno != EINTR) {
			close(fd);
			return err_sys(e, ERR_IO, "lock %s", path);
		}
	return fd;
}

static int ask_new(struct session *s, struct client *c, struct err *e)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "refresh_token", s->refresh);
	json_end_obj(&o);
	return post_for_tokens(s, c, "/auth/refresh", &b, NULL, e);
}

/* What another felloe wrote while we waited for the lock is as good as our own. */
static bool adopt_newer(struct session *s, struct client *c)
{
	struct session file;
	struct err e;
	bool newer;

	if (session_load(&file, &e))
		return false;
	newer = file.access && str_eq(file.master, s->master) && str_eq(file.user, s->user) &&
		!str_eq(file.access, s->access) && file.expires > clock_ms() + EARLY_MS;
	if (newer) {
		set(&s->access, file.access);
		set(&s->refresh, file.refresh);
		s->expires = file.expires;
		client_set_token(c, s->access);
	}
	session_done(&file);
	return newer;
}

/* With in_file under a lock on session.lock, after a look whether somebody else was faster. */
int session_renew(struct session *s, struct client *c, struct err *e)
{
	CLEANUP(closep) int lock = -1;

	if (!s->refresh)
		return err_set(e, ERR_DENIED, "not signed in; run: felloe login");
	if (s->in_file) {
		lock = lock_file(e);
		if (lock < 0)
			return -1;
		if (adopt_newer(s, c))
			return 0;
	}
	if (ask_new(s, c, e))
		return -1;
	return s->in_file ? session_save(s, e) : 0;
}

int session_do(struct session *s, struct client *c, const struct session_call *call, struct client_reply *ret,
	       struct err *e)
{
	const struct client_call out = {
		.method = call->method, .path = call->path, .body = call->body, .etag = call->etag};

	*ret = (struct client_reply){0};
	if (!s->access)
		return err_set(e, ERR_DENIED, "not signed in; run: felloe login");
	if (s->expires < clock_ms() + EARLY_MS && session_renew(s, c, e))
		return -1;
	if (client_do(c, &out, ret, e) == 0)
		return 0;
	if (ret->status != 401)
		return -1;
	client_reply_done(ret);
	*ret = (struct client_reply){.status = 401};
	if (session_renew(s, c, e))
		return -1;
	return client_do(c, &out, ret, e);
}
