/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { CONFIG_MAX = 1 << 20, SECRET_MIN = 32 };

static const char *const known[] = {
	"listen", "database", "state_dir", "user", "jwt_secret", "jwt_secret_file", "tls_cert", "tls_key", "tls_spki",
	"insecure_http", "trusted_proxies", "proxy_header", "heartbeat_default_s", "keep_raw_h",
	"keep_minute_d", "keep_hour_d", "limits", "alerts",
};
static const char *const known_limits[] = {
	"connections", "connections_per_address", "queue", "login_per_minute", "join_per_minute", "event_streams",
	"headers_s", "request_s", "idle_s",
};

void config_free(struct config *c)
{
	if (!c)
		return;
	if (c->jwt_secret)
		mem_wipe(c->jwt_secret, strlen(c->jwt_secret));
	free(c->path);
	free(c->listen);
	free(c->database);
	free(c->state_dir);
	free(c->user);
	free(c->jwt_secret);
	free(c->tls_cert);
	free(c->tls_key);
	free(c->tls_spki);
	list_done(&c->trusted_proxies);
	free(c);
}

void config_freep(struct config **c)
{
	config_free(*c);
}

int config_listen(const char *listen, char *host, size_t size, uint16_t *port, struct err *e)
{
	const char *colon = strrchr(listen, ':');
	struct in6_addr six;
	struct in_addr four;
	uint64_t number;
	size_t n;

	if (!colon || str_to_u64(&number, colon + 1, 1, 65535))
		return err_set(e, ERR_CONFIG, "listen: \"%.80s\" is not ADDRESS:PORT", listen);
	n = (size_t)(colon - listen);
	if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']') {
		listen++;
		n -= 2;
	}
	if (n >= size)
		return err_set(e, ERR_CONFIG, "listen: the address is too long");
	memcpy(host, listen, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, &four) != 1 && inet_pton(AF_INET6, host, &six) != 1)
		return err_set(e, ERR_CONFIG, "listen: \"%s\" is not an IP address; write 127.0.0.1:8443 or [::]:8443",
			       host);
	*port = (uint16_t)number;
	return 0;
}

bool config_is_loopback(const char *host)
{
	return str_starts(host, "127.") || str_eq(host, "::1");
}

static char *text(const struct json *root, const char *key, const char *otherwise, struct problems *p)
{
	const char *v = otherwise;

	json_want_str(root, "", key, false, &v, p);
	return xstrdup(v);
}

static void read_secret(struct config *c, const struct json *root, struct problems *p)
{
	const char *file = NULL;
	struct err e;

	c->jwt_secret = text(root, "jwt_secret", NULL, p);
	json_want_str(root, "", "jwt_secret_file", false, &file, p);
	if (file && c->jwt_secret)
		problems_add(p, "jwt_secret", "given together with jwt_secret_file: keep one");
	else if (file && fs_read_secret(&c->jwt_secret, file, &e))
		problems_add(p, "jwt_secret_file", "%s", e.msg);
	if (!c->jwt_secret && !file)
		problems_add(p, "jwt_secret", "missing: felloe-masterd init makes one");
	else if (c->jwt_secret && strlen(c->jwt_secret) < SECRET_MIN)
		problems_add(p, "jwt_secret", "shorter than %d characters", SECRET_MIN);
}

static void read_numbers(struct config *c, const struct json *root, struct problems *p)
{
	const struct json *limits = json_want(root, "", "limits", JSON_OBJECT, false, p);

	c->heartbeat_default_s = 10;
	c->keep_raw_h = 24;
	c->max_connections = 20000;
	c->keep_minute_d = 14;
	c->keep_hour_d = 730;
	c->queue = 8192;
	c->login_per_minute = 10;
	c->join_per_minute = 30;
	c->event_streams = 1000;
	json_want_int(root, "", "heartbeat_default_s", false, 1, 3600, &c->heartbeat_default_s, p);
	json_want_int(root, "", "keep_raw_h", false, 1, 24 * 31, &c->keep_raw_h, p);
	json_want_int(root, "", "keep_minute_d", false, 1, 366, &c->keep_minute_d, p);
	json_want_int(root, "", "keep_hour_d", false, 1, 3660, &c->keep_hour_d, p);
	json_want_int(limits, "limits", "connections", false, 16, 65000, &c->max_connections, p);
	c->headers_s = 10;
	c->request_s = 60;
	c->idle_s = 120;
	json_want_int(limits, "limits", "headers_s", false, 1, 600, &c->headers_s, p);
	json_want_int(limits, "limits", "request_s", false, 1, 3600, &c->request_s, p);
	json_want_int(limits, "limits", "idle_s", false, 1, 3600, &c->idle_s, p);
	/* no single address takes all of them */
	c->per_address = c->max_connections - c->max_connections / 8;
	json_want_int(limits, "limits", "connections_per_address", false, 1, 65000, &c->per_address, p);
	json_want_int(limits, "limits", "queue", false, 16, 1000000, &c->queue, p);
	json_want_int(limits, "limits", "login_per_minute", false, 1, 100000, &c->login_per_minute, p);
	json_want_int(limits, "limits", "join_per_minute", false, 1, 100000, &c->join_per_minute, p);
	json_want_int(limits, "limits", "event_streams", false, 1, 60000, &c->event_streams, p);
	json_unknown(limits, "limits", known_limits, ARRAY_LEN(known_limits), p);
}

static void read_proxies(struct config *c, const struct json *root, struct problems *p)
{
	const struct json *list = json_want(root, "", "trusted_proxies", JSON_ARRAY, false, p);
	const char *header = "X-Forwarded-For";
	char path[40];
	size_t i = 0;

	for (const struct json *j = json_first(list); j; j = json_next(j), i++) {
		struct net *n = list_push(&c->trusted_proxies);

		snprintf(path, sizeof(path), "trusted_proxies[%zu]", i);
		if (!json_str(j) || net_parse(n, json_str(j)))
			problems_add(p, path, "must be an IP address or a net such as 10.0.0.0/8");
		else if (net_is_too_wide(n))
			problems_add(p, path, "\"%.60s\" would believe nearly everybody: name the addresses of your proxies",
				     json_str(j));
	}
	json_want_str(root, "", "proxy_header", false, &header, p);
	c->rfc7239 = str_ieq(header, "Forwarded");
	if (!c->rfc7239 && !str_ieq(header, "X-Forwarded-For"))
		problems_add(p, "proxy_header", "\"%.40s\" is neither X-Forwarded-For nor Forwarded", header);
}

/* Ports below this need a right that user does not have (ip(7)). */
static uint64_t first_free_port(void)
{
	struct buf b;
	uint64_t n = 1024;

	buf_init(&b, 64);
	if (!fs_read(&b, "/proc/sys/net/ipv4/ip_unprivileged_port_start", NULL)) {
		b.p[strcspn(b.p, "\n")] = '\0';
		if (str_to_u64(&n, b.p, 0, 65535))
			n = 1024;
	}
	buf_done(&b);
	return n;
}

static void judge_rights(const struct config *c, const char *host, uint16_t port, struct problems *p)
{
	bool root = geteuid() == 0;

	if (root && !c->user && !config_is_loopback(host))
		problems_add(p, "user", "missing: root's rights are not for what strangers can reach; name whom to become");
	if (root && str_eq(c->user, "root") && !config_is_loopback(host))
		problems_add(p, "user", "is root: root's rights are not for what strangers can reach");
	if (root && c->user && !str_eq(c->user, "root") && port < first_free_port())
		problems_add(p, "listen", "%s may not open port %u: take one from %llu on, or start as %s with "
			     "CAP_NET_BIND_SERVICE (systemd.exec(5), AmbientCapabilities=)",
			     c->user, port, (unsigned long long)first_free_port(), c->user);
}

static void read_alerts(struct config_alerts *a, const struct json *root, struct problems *p)
{
	const struct json *j = json_want(root, "", "alerts", JSON_OBJECT, false, p);
	const struct {
		const char *key;
		int64_t min, max, otherwise;
		int64_t *to;
	} table[] = {
		{"missed_grace_s", 30, 86400, 900, &a->missed_grace_s},
		{"silent_after_s", 5, 604800, 300, &a->silent_after_s},
		{"hold_s", 0, 3600, 30, &a->hold_s},
		{"repeat_s", 0, 2592000, 86400, &a->repeat_s},
		{"disk_percent", 50, 100, 90, &a->disk_percent},
		{"forecast_days", 1, 90, 7, &a->forecast_days},
		{"key_unused_h", 1, 8760, 24, &a->key_unused_h},
		{"backup_old_h", 1, 8760, 192, &a->backup_old_h},
		{"keep_days", 1, 3650, 400, &a->keep_days},
		{"notice_every_s", 1, 3600, 60, &a->notice_every_s},
	};
	const char *keys[ARRAY_LEN(table)];

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		keys[i] = table[i].key;
		*table[i].to = table[i].otherwise;
		json_want_int(j, "alerts", table[i].key, false, table[i].min, table[i].max, table[i].to, p);
	}
	json_unknown(j, "alerts", keys, ARRAY_LEN(table), p);
}

static void judge_listen(const struct config *c, struct problems *p)
{
	char host[64];
	uint16_t port;
	struct err e;

	if (config_listen(c->listen, host, sizeof(host), &port, &e)) {
		problems_add(p, "listen", "%s", e.msg + strlen("listen: "));
		return;
	}
	judge_rights(c, host, port, p);
	if (!c->tls_cert && !c->insecure_http && !config_is_loopback(host))
		problems_add(p, "listen",
			     "%s is reachable from outside and there is no tls_cert: set tls_cert and tls_key "
			     "(init --self-signed makes them), or insecure_http behind a TLS proxy",
			     host);
}

static void judge_files(const struct config *c, struct problems *p)
{
	struct stat st;

	if (!c->tls_cert != !c->tls_key)
		problems_add(p, c->tls_cert ? "tls_key" : "tls_cert", "missing: tls_cert and tls_key belong together");
	if (c->tls_cert && access(c->tls_cert, R_OK))
		problems_add(p, "tls_cert", "%s cannot be read", c->tls_cert);
	if (c->tls_key && (stat(c->tls_key, &st) || access(c->tls_key, R_OK)))
		problems_add(p, "tls_key", "%s cannot be read", c->tls_key);
	else if (c->tls_key && (st.st_mode & 0007))
		problems_add(p, "tls_key", "%s may be read by everybody: chmod o= %s", c->tls_key, c->tls_key);
	if (!stat(c->state_dir, &st) && (st.st_mode & 0002))
		problems_add(p, "state_dir", "everybody may write to %s: chmod o-w %s", c->state_dir, c->state_dir);
	if (c->tls_spki && !str_starts(c->tls_spki, "sha256//"))
		problems_add(p, "tls_spki", "\"%.80s\" does not start with sha256//", c->tls_spki);
	if (c->jwt_secret && !stat(c->path, &st) && (st.st_mode & 0077))
		problems_add(p, "jwt_secret", "others may read %s: chmod 600 %s", c->path, c->path);
}

static int told(const struct problems *p, const char *path, struct err *e)
{
	struct buf b;

	if (!p->n)
		return 0;
	buf_init(&b, ERR_MSG_MAX);
	for (size_t i = 0; i < p->n; i++)
		buf_addf(&b, "%s%s: %s", i ? "\n" : "", p->v[i].path, p->v[i].msg);
	(void)err_set(e, ERR_CONFIG, "%s: %s", path, b.p);
	buf_done(&b);
	return -1;
}

int config_load(struct config **ret, const char *path, struct err *e)
{
	CLEANUP(config_freep) struct config *c = xcalloc(1, sizeof(*c));
	CLEANUP(json_freep) struct json *root = NULL;
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(freep) char *state = fs_state_dir("master");
	CLEANUP(freep) char *database = NULL;

	if (json_parse_file(&root, path, CONFIG_MAX, e)) {
		if (e->kind == ERR_NOTFOUND)
			return err_set(e, ERR_CONFIG, "%s does not exist: felloe-masterd init writes it", path);
		e->kind = ERR_CONFIG;
		return -1;
	}
	if (json_type(root) != JSON_OBJECT)
		return err_set(e, ERR_CONFIG, "%s: not an object", path);
	c->path = xstrdup(path);
	json_unknown(root, "", known, ARRAY_LEN(known), &p);
	c->listen = text(root, "listen", "127.0.0.1:8443", &p);
	c->state_dir = text(root, "state_dir", state, &p);
	database = xasprintf("sqlite:%s/master.db", c->state_dir);
	c->database = text(root, "database", database, &p);
	c->user = text(root, "user", NULL, &p);
	c->tls_cert = text(root, "tls_cert", NULL, &p);
	c->tls_key = text(root, "tls_key", NULL, &p);
	c->tls_spki = text(root, "tls_spki", NULL, &p);
	json_want_bool(root, "", "insecure_http", &c->insecure_http, &p);
	read_secret(c, root, &p);
	read_numbers(c, root, &p);
	read_proxies(c, root, &p);
	read_alerts(&c->alerts, root, &p);
	judge_listen(c, &p);
	judge_files(c, &p);
	if (told(&p, path, e))
		return -1;
	*ret = TAKE(c);
	return 0;
}

int config_write(const char *path, const struct config *c, struct err *e)
{
	struct json_out o;
	struct buf b;
	int rc;

	buf_init(&b, CONFIG_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	json_put_str(&o, "listen", c->listen);
	json_put_str(&o, "database", c->database);
	json_put_str(&o, "state_dir", c->state_dir);
	if (c->user)
		json_put_str(&o, "user", c->user);
	json_put_str(&o, "jwt_secret", c->jwt_secret);
	if (c->tls_cert) {
		json_put_str(&o, "tls_cert", c->tls_cert);
		json_put_str(&o, "tls_key", c->tls_key);
	}
	if (c->insecure_http)
		json_put_bool(&o, "insecure_http", true);
	json_end_obj(&o);
	buf_addc(&b, '\n');
	rc = buf_check(&b, path, e) ? -1 : fs_write(path, b.p, b.len, 0600, e);
	mem_wipe(b.p, b.len);
	buf_done(&b);
	return rc;
}
