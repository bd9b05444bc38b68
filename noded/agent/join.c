/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "noded/agent/join.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "noded/agent/identity.h"
#include "shared/client.h"
#include "shared/clock.h"
#include "shared/crypt.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { STATE_MAX = 64 << 10, BODY_MAX = 256 << 10, REQUEST_ID = 128 };

struct join {
	char *path, *key_file, *master, *name;
	struct client *client;
	char pin[128];
	uint8_t pub[CRYPT_KEY], secret[CRYPT_KEY], nonce[PAIR_NONCE];
	char request_id[REQUEST_ID];  /* "" until the master gave one */
	char code[PAIR_CODE];         /* "" until revealed */
	char token[JOIN_TOKEN_MAX];   /* "" none */
};

static char *state_path(void)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");

	return xasprintf("%s/join.json", dir);
}

/* ---- bytes as text: base64 (RFC 4648, section 4) */

static void put_bytes(struct json_out *o, const char *key, const void *p, size_t n)
{
	char *text = base64_encode(p, n);

	json_put_str(o, key, text);
	mem_wipe(text, strlen(text));
	freep(&text);
}

static bool get_bytes(const struct json *j, const char *key, void *to, size_t n)
{
	uint8_t *p = NULL;
	size_t got = 0;
	bool ok = base64_decode(&p, &got, json_get_str(j, key, "")) == 0 && got == n;

	if (ok)
		memcpy(to, p, n);
	if (p)
		mem_wipe(p, got);
	freep(&p);
	return ok;
}

/* ---- the state on disk */

static int save(const struct join *j, struct err *e)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");
	struct json_out o;
	struct buf b;
	int failed;

	buf_init(&b, STATE_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	json_put_str(&o, "master", j->master);
	json_put_str(&o, "name", j->name);
	put_bytes(&o, "public_key", j->pub, sizeof(j->pub));
	put_bytes(&o, "secret_key", j->secret, sizeof(j->secret));
	put_bytes(&o, "nonce", j->nonce, sizeof(j->nonce));
	json_put_str(&o, "request_id", j->request_id);
	json_put_str(&o, "code", j->code);
	if (j->token[0])
		json_put_str(&o, "token", j->token);
	json_end_obj(&o);
	failed = fs_mkdirs(dir, 0700, e) || buf_check(&b, j->path, e) || fs_write(j->path, b.p, b.len, 0600, e);
	mem_wipe(b.p, b.len);
	buf_done(&b);
	return failed ? -1 : 0;
}

/* What the file holds, when it is whole and for this master. */
static bool restore(struct join *j)
{
	CLEANUP(json_freep) struct json *doc = NULL;
	struct err ignored;

	if (json_parse_file(&doc, j->path, STATE_MAX, &ignored) ||
	    !str_eq(json_get_str(doc, "master", NULL), j->master) ||
	    !get_bytes(doc, "public_key", j->pub, sizeof(j->pub)) ||
	    !get_bytes(doc, "secret_key", j->secret, sizeof(j->secret)) ||
	    !get_bytes(doc, "nonce", j->nonce, sizeof(j->nonce)))
		return false;
	if (str_copy(j->request_id, sizeof(j->request_id), json_get_str(doc, "request_id", "")) ||
	    str_copy(j->code, sizeof(j->code), json_get_str(doc, "code", "")) ||
	    str_copy(j->token, sizeof(j->token), json_get_str(doc, "token", "")))
		return false;
	freep(&j->name);
	j->name = xstrdup(json_get_str(doc, "name", ""));
	return true;
}

bool join_pending(const struct config *c)
{
	CLEANUP(freep) char *path = state_path();
	CLEANUP(json_freep) struct json *doc = NULL;
	struct err ignored;

	return json_parse_file(&doc, path, STATE_MAX, &ignored) == 0 &&
	       str_eq(json_get_str(doc, "master", NULL), c->master.url);
}

static void forget(struct join *j)
{
	unlink(j->path);
}

/* ---- facts for the administrator who decides */

static void own_address(char text[static INET6_ADDRSTRLEN])
{
	struct ifaddrs *all = NULL;

	str_cut(text, INET6_ADDRSTRLEN, "127.0.0.1");
	if (getifaddrs(&all))
		return;
	for (struct ifaddrs *a = all; a; a = a->ifa_next) {
		struct sockaddr_in in;

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || (a->ifa_flags & IFF_LOOPBACK) ||
		    !(a->ifa_flags & IFF_UP))
			continue;
		memcpy(&in, a->ifa_addr, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, text, INET6_ADDRSTRLEN);
		break;
	}
	freeifaddrs(all);
}

/* PRETTY_NAME of os-release(5). */
static void os_name(char *text, size_t size)
{
	static const char key[] = "PRETTY_NAME=\"";
	CLEANUP(buf_done) struct buf b;
	struct err ignored;
	const char *at;

	buf_init(&b, 64 << 10);
	str_cut(text, size, "Linux");
	if (fs_read(&b, "/etc/os-release", &ignored) || !(at = strstr(b.p, key)))
		return;
	snprintf(text, size, "%.*s", (int)strcspn(at + sizeof(key) - 1, "\"\n"), at + sizeof(key) - 1);
}

static const char *asked_by(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return str_or(getenv("SUDO_USER"), pw ? pw->pw_name : NULL);
}

static void put_facts(struct json_out *o, const struct config *c)
{
	char os[128], address[INET6_ADDRSTRLEN];
	struct utsname u = {0};
	struct sysinfo si = {0};

	own_address(address);
	os_name(os, sizeof(os));
	uname(&u);
	sysinfo(&si);
	CLEANUP(freep) char *info = xasprintf("%s, %s %s %s", os, u.sysname, u.release, u.machine);
	json_put_str(o, "ip_address", address);
	json_put_str(o, "system_info", info);
	json_put_str(o, "os", os);
	json_put_str(o, "agent_version", PACKAGE_VERSION);
	json_put_int(o, "cores", sysconf(_SC_NPROCESSORS_ONLN));
	json_put_int(o, "memory_bytes", (int64_t)si.totalram * si.mem_unit);
	json_put_time(o, "clock", clock_ms());
	if (asked_by())
		json_put_str(o, "asked_by", asked_by());
	json_arr(o, "sites");
	for (size_t i = 0; i < c->sites.n; i++)
		json_put_str(o, NULL, c->sites.v[i].name);
	json_end_arr(o);
	json_arr(o, "timers");
	for (size_t i = 0; i < c->timers.n; i++)
		json_put_str(o, NULL, c->timers.v[i].name);
	json_end_arr(o);
	json_arr(o, "storages");
	for (size_t i = 0; i < c->storages.n; i++)
		json_put_str(o, NULL, c->storages.v[i].name);
	json_end_arr(o);
}

/* ---- the exchange */

/* The public key of the master's certificate as the code takes it; zeros on plain HTTP. */
static int spki_of(const struct join *j, uint8_t spki[static 32], struct err *e)
{
	char pin[64];
	uint8_t *p = NULL;
	size_t n = 0;

	memset(spki, 0, 32);
	if (!str_starts(j->master, "https://"))
		return 0;
	str_cut(pin, sizeof(pin), j->pin);
	if (!*pin && http_peer_pin(j->master, pin, e))
		return -1;
	if (!str_starts(pin, "sha256//") || base64_decode(&p, &n, pin + 8) || n != 32) {
		freep(&p);
		return err_set(e, ERR_INVALID, "the pin \"%s\" is not sha256// and 44 characters of base64", pin);
	}
	memcpy(spki, p, 32);
	freep(&p);
	return 0;
}

/* A certificate that is not accepted: show its key, as init has printed it. */
static void name_key(const struct join *j, struct err *e)
{
	struct err why = *e, ignored;
	char pin[64];

	if (http_peer_pin(j->master, pin, &ignored))
		return;
	if (j->pin[0])
		(void)err_set(e, why.kind, "%s: it is %s now, not %s; somebody may be in between, or it was renewed: "
			      "then give --pin with the new one", why.msg, pin, j->pin);
	else
		(void)err_set(e, why.kind, "%s; its key is %s: if felloe-masterd init printed the same, give it with --pin",
			      why.msg, pin);
}

static int request(struct join *j, const struct config *c, uint8_t master_nonce[static PAIR_NONCE], struct err *e)
{
	struct client_reply r = {0};
	uint8_t commitment[SHA256_LEN];
	struct json_out o;
	struct buf b;
	int failed;

	pair_commitment(commitment, j->nonce, j->pub);
	buf_init(&b, BODY_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "hostname", j->name);
	put_facts(&o, c);
	put_bytes(&o, "public_key", j->pub, sizeof(j->pub));
	put_bytes(&o, "commitment", commitment, sizeof(commitment));
	if (j->token[0])
		json_put_str(&o, "join_token", j->token);
	json_end_obj(&o);
	failed = buf_check(&b, "the join request", e) ||
		 client_do(j->client,
			   &(struct client_call){.method = "POST", .path = "/nodes/join-request", .body = b.p}, &r, e);
	if (failed && r.hopeless)
		name_key(j, e);
	if (!failed && (str_copy(j->request_id, sizeof(j->request_id), json_get_str(r.json, "request_id", "")) ||
			!j->request_id[0] ||
			strspn(j->request_id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") !=
				strlen(j->request_id) ||
			!get_bytes(r.json, "master_nonce", master_nonce, PAIR_NONCE)))
		failed = err_set(e, ERR_NET, "%s answered the join request with something else; is it a Felloe master?",
				 j->master);
	mem_wipe(b.p, b.len);
	buf_done(&b);
	client_reply_done(&r);
	return failed ? -1 : 0;
}

/* A repeated reveal is a conflict: the first one counted, and its answer was lost. */
static int reveal(struct join *j, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("/nodes/join-request/%s/reveal", j->request_id);
	struct client_reply r;
	struct json_out o;
	struct buf b;
	int failed;

	buf_init(&b, BODY_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	put_bytes(&o, "nonce", j->nonce, sizeof(j->nonce));
	json_end_obj(&o);
	failed = client_do(j->client, &(struct client_call){.method = "POST", .path = path, .body = b.p}, &r, e) &&
		 e->kind != ERR_CONFLICT;
	buf_done(&b);
	client_reply_done(&r);
	return failed ? -1 : 0;
}

static int pair(struct join *j, const struct config *c, struct err *e)
{
	uint8_t master_nonce[PAIR_NONCE], spki[32];

	if (request(j, c, master_nonce, e) || spki_of(j, spki, e) || reveal(j, e))
		return -1;
	pair_code(j->code, j->pub, j->nonce, master_nonce, j->request_id, spki);
	return save(j, e);
}

int join_open(struct join **ret, const struct join_opts *o, struct err *e)
{
	CLEANUP(join_freep) struct join *j = xcalloc(1, sizeof(*j));
	struct client_opts co = {.url = o->config->master.url,
				 .pin = o->config->master.pin,
				 .ca_file = o->config->master.ca_file,
				 .user_agent = "felloe-noded/" PACKAGE_VERSION};
	bool known;

	if (crypt_init(e) || client_new(&j->client, &co, e))
		return -1;
	client_set_tick(j->client, o->tick, o->ctx);
	j->path = state_path();
	j->key_file = identity_key_file(o->config);
	j->master = xstrdup(o->config->master.url);
	j->name = xstrdup(str_or(o->name, o->config->server_id));
	str_cut(j->pin, sizeof(j->pin), o->config->master.pin);
	/* with another token it is another request, which takes the place of the first: the pair is the same */
	known = restore(j);
	if (!known || (o->token && !str_eq(o->token, j->token))) {
		j->request_id[0] = j->code[0] = j->token[0] = '\0';
		if (!known)
			crypt_keypair(j->pub, j->secret);
		random_bytes(j->nonce, sizeof(j->nonce));
		if ((o->token && str_copy(j->token, sizeof(j->token), o->token)) || save(j, e))
			return -1;
	}
	if (!j->code[0] && pair(j, o->config, e)) {
		if (e->kind == ERR_FORBIDDEN || e->kind == ERR_INVALID || e->kind == ERR_NOTFOUND)
			forget(j); /* the same pair would meet the same answer */
		return -1;
	}
	*ret = TAKE(j);
	return 0;
}

void join_free(struct join *j)
{
	if (!j)
		return;
	client_free(j->client);
	freep(&j->path);
	freep(&j->key_file);
	freep(&j->master);
	freep(&j->name);
	mem_wipe(j, sizeof(*j));
	freep(&j);
}

void join_freep(struct join **j)
{
	join_free(*j);
}

const char *join_code(const struct join *j)
{
	return j->code;
}

/* The pair first: without the key the request goes on, without the pair no later key could be opened. */
static int save_key(const struct join *j, const struct json *doc, struct err *e)
{
	return identity_keep(j->pub, j->secret, e) ||
	       identity_store_key(j->key_file, json_get_str(doc, "sealed_key", ""), j->pub, j->secret, e) ? -1 : 0;
}

int join_ask(struct join *j, unsigned wait_s, enum join_state *ret, char why[static WIRE_TEXT], struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("/nodes/status/%s?wait=%u", j->request_id, wait_s);
	struct client_reply r;
	const char *status;
	int failed = 0;

	why[0] = '\0';
	if (client_do(j->client, &(struct client_call){.method = "GET", .path = path}, &r, e)) {
		client_reply_done(&r);
		if (e->kind != ERR_NOTFOUND)
			return -1;
		forget(j);
		*ret = JOIN_EXPIRED;
		str_cut(why, WIRE_TEXT, "the master does not know this request any more; run felloe-noded join again");
		return 0;
	}
	status = json_get_str(r.json, "status", "");
	if (str_eq(status, "active")) {
		*ret = JOIN_ACTIVE;
		failed = save_key(j, r.json, e);
	} else if (str_eq(status, "blocked")) {
		*ret = JOIN_BLOCKED;
		snprintf(why, WIRE_TEXT, "an administrator blocked this node: %.180s",
			 str_or(json_get_str(r.json, "reason", NULL), "no reason was given"));
		str_clean(why);
	} else if (str_eq(status, "expired")) {
		*ret = JOIN_EXPIRED;
		str_cut(why, WIRE_TEXT, "the request expired before anybody decided; run felloe-noded join again");
	} else {
		*ret = JOIN_PENDING;
	}
	if (!failed && *ret != JOIN_PENDING)
		forget(j);
	client_reply_done(&r);
	return failed ? -1 : 0;
}
