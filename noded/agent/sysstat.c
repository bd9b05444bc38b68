/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/sysstat.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { PROC_MAX = 1 << 20, SECTOR = 512 };

struct counters {
	bool cpu_known, io_known, net_known;
	uint64_t cpu_busy, cpu_total;     /* ticks */
	uint64_t io_read, io_write;       /* bytes */
	uint64_t net_rx, net_tx;          /* bytes */
	int64_t at;                       /* monotonic ms */
};

struct sysstat {
	struct counters before;
	double cpu;       /* the last known, for two calls within one tick */
	struct buf text;
};

/* ---- reading columns of text. The kernel writes these files, but a container's
 * emulation may not: nothing is trusted to be there or to be a number. */

/* The next word of a line, or false at its end. */
static bool word(const char **at, char *out, size_t size)
{
	const char *p = *at;
	size_t n;

	while (*p == ' ' || *p == '\t')
		p++;
	n = strcspn(p, " \t\n");
	*at = p + n;
	if (!n)
		return false;
	if (n >= size)
		n = size - 1;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

/* Up to n numbers of a line; how many there were before something else. */
static size_t numbers(const char *at, uint64_t *v, size_t n)
{
	char w[32];
	size_t i = 0;

	while (i < n && word(&at, w, sizeof(w)) && str_to_u64(&v[i], w, 0, UINT64_MAX) == 0)
		i++;
	return i;
}

/* The line after this one; NULL at the end. */
static const char *next_line(const char *at)
{
	at = strchr(at, '\n');
	return at && at[1] ? at + 1 : NULL;
}

/* /proc/stat: guest time is inside user time already, so the first eight do. */
static bool parse_stat(const char *text, uint64_t *busy, uint64_t *total)
{
	uint64_t v[8] = {0}, sum = 0;

	if (!str_starts(text, "cpu ") || numbers(text + 4, v, 8) < 4)
		return false;
	for (size_t i = 0; i < 8; i++)
		sum += v[i];
	*total = sum;
	*busy = sum - v[3] - v[4]; /* idle and iowait */
	return true;
}

static bool mem_line(const char *text, const char *key, int64_t *bytes)
{
	for (const char *l = text; l; l = next_line(l)) {
		uint64_t kib;

		if (str_starts(l, key) && numbers(l + strlen(key), &kib, 1) == 1 && kib < (uint64_t)1 << 42) {
			*bytes = (int64_t)(kib * 1024);
			return true;
		}
	}
	return false;
}

/* /proc/meminfo. Kernels before 3.14 have no MemAvailable; an estimate then. */
static void parse_meminfo(const char *text, struct wire_sample *s)
{
	int64_t total, available, cached = 0, buffers = 0, left;

	if (mem_line(text, "MemTotal:", &total)) {
		bool known = mem_line(text, "MemAvailable:", &available);

		if (!known && mem_line(text, "MemFree:", &available)) {
			known = mem_line(text, "Cached:", &cached);
			if (mem_line(text, "Buffers:", &buffers))
				available += buffers;
			available += cached;
		}
		s->mem_total = total;
		if (known)
			s->mem_used = available < total ? total - available : 0;
	}
	if (mem_line(text, "SwapTotal:", &total) && mem_line(text, "SwapFree:", &left)) {
		s->swap_total = total;
		s->swap_used = left < total ? total - left : 0;
	}
}

static bool real(const char **at, double *ret)
{
	char w[32], *end;
	double v;

	if (!word(at, w, sizeof(w)) || !isdigit((unsigned char)w[0]))
		return false;
	v = strtod(w, &end);
	if (*end || !isfinite(v))
		return false;
	*ret = v;
	return true;
}

static void parse_loadavg(const char *text, double load[static 3])
{
	double v[3];

	if (real(&text, &v[0]) && real(&text, &v[1]) && real(&text, &v[2]))
		memcpy(load, v, sizeof(v));
}

/* /proc/pressure: "some avg10=1.23 avg60=..." */
static void parse_pressure(const char *text, double *ret)
{
	static const char key[] = "some avg10=";
	double v;

	if (!str_starts(text, key))
		return;
	text += sizeof(key) - 1;
	if (real(&text, &v) && v <= 100)
		*ret = v;
}

static void parse_uptime(const char *text, int64_t *ret)
{
	double v;

	if (real(&text, &v) && v < 1e12)
		*ret = (int64_t)v;
}

/* What passes through a bridge or tunnel passes a real card too, and would count twice. */
static bool virtual_card(const char *name)
{
	static const char *const prefixes[] = {"lo",  "veth",    "docker", "br-",  "virbr", "lxc", "lxd",
					       "cni", "flannel", "cali",   "tun",  "tap",   "wg",  "dummy",
					       "ifb", "bond",    "team",   "vnet", "podman"};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return strchr(name, '.') != NULL || strchr(name, '@') != NULL; /* VLANs */
}

/* /proc/net/dev: "  eth0: rx_bytes packets errs drop fifo frame compressed multicast tx_bytes ..." */
static bool parse_netdev(const char *text, uint64_t *rx, uint64_t *tx)
{
	bool any = false;

	*rx = *tx = 0;
	for (const char *l = text; l; l = next_line(l)) {
		const char *colon = l + strcspn(l, ":\n");
		uint64_t v[9];
		char name[64];
		const char *at = l;

		if (*colon != ':' || !word(&at, name, sizeof(name)))
			continue;
		name[strcspn(name, ":")] = '\0';
		if (virtual_card(name) || numbers(colon + 1, v, 9) < 9)
			continue;
		*rx += v[0];
		*tx += v[8];
		any = true;
	}
	return any;
}

/* /proc/diskstats: "8 0 sda reads merged sectors ms writes merged sectors ..." */
static bool parse_diskstats(const char *text, bool (*is_disk)(const char *name), uint64_t *rd, uint64_t *wr)
{
	bool any = false;

	*rd = *wr = 0;
	for (const char *l = text; l; l = next_line(l)) {
		char w[64], name[64];
		const char *at = l;
		uint64_t v[7];

		if (!word(&at, w, sizeof(w)) || !word(&at, w, sizeof(w)) || !word(&at, name, sizeof(name)) ||
		    !is_disk(name) || numbers(at, v, 7) < 7)
			continue;
		*rd += v[2] * SECTOR;
		*wr += v[6] * SECTOR;
		any = true;
	}
	return any;
}

/* A whole disk: partitions have no entry of their own in /sys/block; loop, RAID
 * and device-mapper devices lie on disks that are counted already. */
static bool is_disk(const char *name)
{
	static const char *const prefixes[] = {"loop", "ram", "dm-", "md", "sr", "fd", "zram", "nbd"};
	CLEANUP(freep) char *path = xasprintf("/sys/block/%s", name);

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return false;
	return !strchr(name, '/') && fs_exists(path);
}

/* ---- file systems */

struct mount {
	char device[32];          /* "8:1" */
	char root[WIRE_TEXT];     /* what of the file system is mounted: "/" all */
	char point[WIRE_TEXT];
	char type[32];
	char source[WIRE_TEXT];
};
struct mounts {
	LIST_OF(struct mount);
};

/* Space, tab, line feed and backslash are written as \ooo (proc(5)). */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; to++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to = *s++;
		}
	}
	*to = '\0';
}

/* Worth a meter: a local file system that can fill up, or whatever "/" is. */
static bool counts(const struct mount *m)
{
	static const char *const never[] = {"squashfs", "iso9660", "udf", "erofs", "romfs", "cramfs", "fuse.snapfuse"};
	static const char *const without_device[] = {"zfs", "btrfs", "bcachefs"};

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (str_eq(m->type, never[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(without_device); i++)
		if (str_eq(m->type, without_device[i]))
			return true;
	return str_eq(m->point, "/") || (str_starts(m->source, "/dev/") && !str_starts(m->source, "/dev/fuse"));
}

/* The mount of the same file system that is in the list already. */
static struct mount *same(const struct mounts *l, const struct mount *m)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].device, m->device) ||
		    (str_eq(m->type, "btrfs") && str_eq(l->v[i].source, m->source)))
			return &l->v[i];
	return NULL;
}

/* /proc/self/mountinfo: one entry a file system; of bind mounts the one that
 * shows all of it, then the shortest path. */
static void parse_mountinfo(const char *text, struct mounts *ret)
{
	for (const char *l = text; l; l = next_line(l)) {
		struct mount m, *old;
		const char *at = l;
		char w[WIRE_TEXT];
		bool whole = word(&at, w, sizeof(w)) && word(&at, w, sizeof(w)) &&
			     word(&at, m.device, sizeof(m.device)) && word(&at, m.root, sizeof(m.root)) &&
			     word(&at, m.point, sizeof(m.point));

		while (whole && (whole = word(&at, w, sizeof(w))) && !str_eq(w, "-"))
			;
		if (!whole || !word(&at, m.type, sizeof(m.type)) || !word(&at, m.source, sizeof(m.source)) ||
		    strlen(m.point) == sizeof(m.point) - 1 || m.point[0] != '/')
			continue;
		unescape(m.point);
		unescape(m.root);
		if (!counts(&m))
			continue;
		old = same(ret, &m);
		if (!old) {
			*list_push(ret) = m;
			continue;
		}
		bool better_root = str_eq(m.root, "/") && !str_eq(old->root, "/");
		bool worse_root = !str_eq(m.root, "/") && str_eq(old->root, "/");

		if (better_root || (!worse_root && strlen(m.point) < strlen(old->point)))
			*old = m;
	}
}

/* As df(1): what root alone may use is in neither part. */
static bool disk_of(const struct statvfs *v, struct wire_disk *d)
{
	uint64_t used = v->f_blocks > v->f_bfree ? v->f_blocks - v->f_bfree : 0;
	uint64_t total = used + v->f_bavail;

	if (!v->f_blocks || !total)
		return false;
	d->used = (int64_t)(used * v->f_frsize);
	d->total = (int64_t)(total * v->f_frsize);
	d->percent = 100.0 * (double)used / (double)total;
	d->inodes_percent = NAN;
	if (v->f_files && v->f_files >= v->f_ffree)
		d->inodes_percent = 100.0 * (double)(v->f_files - v->f_ffree) / (double)v->f_files;
	return true;
}

static void measure_disks(const struct mounts *mounts, struct wire_sample *s)
{
	s->disk = 0;
	for (size_t i = 0; i < mounts->n && s->disks.n < 64; i++) {
		struct wire_disk d = {0};
		struct statvfs v;

		if (statvfs(mounts->v[i].point, &v) || !disk_of(&v, &d))
			continue;
		str_cut(d.mount, sizeof(d.mount), mounts->v[i].point);
		*list_push(&s->disks) = d;
		if (d.percent > s->disk)
			s->disk = d.percent;
	}
}

/* ---- the sample */

static const char *slurp(struct sysstat *s, const char *path)
{
	struct err ignored;

	buf_reset(&s->text);
	return fs_read(&s->text, path, &ignored) ? "" : s->text.p;
}

static void read_counters(struct sysstat *s, struct counters *c)
{
	*c = (struct counters){.at = clock_mono_ms()};
	c->cpu_known = parse_stat(slurp(s, "/proc/stat"), &c->cpu_busy, &c->cpu_total);
	c->io_known = parse_diskstats(slurp(s, "/proc/diskstats"), is_disk, &c->io_read, &c->io_write);
	c->net_known = parse_netdev(slurp(s, "/proc/net/dev"), &c->net_rx, &c->net_tx);
}

/* A counter may start anew (a card was plugged): then nothing is known. */
static double rate(uint64_t now, uint64_t before, int64_t ms)
{
	return ms > 0 && now >= before ? (double)(now - before) * 1000 / (double)ms : NAN;
}

static void compare(struct sysstat *s, const struct counters *now, struct wire_sample *ret)
{
	const struct counters *b = &s->before;
	int64_t ms = now->at - b->at;

	if (now->cpu_known && b->cpu_known && now->cpu_total > b->cpu_total && now->cpu_busy >= b->cpu_busy)
		s->cpu = 100.0 * (double)(now->cpu_busy - b->cpu_busy) / (double)(now->cpu_total - b->cpu_total);
	ret->cpu = s->cpu > 100 ? 100 : s->cpu;
	if (now->io_known && b->io_known) {
		ret->io_read = rate(now->io_read, b->io_read, ms);
		ret->io_write = rate(now->io_write, b->io_write, ms);
	}
	if (now->net_known && b->net_known) {
		ret->net_rx = rate(now->net_rx, b->net_rx, ms);
		ret->net_tx = rate(now->net_tx, b->net_tx, ms);
	}
}

struct sysstat *sysstat_new(void)
{
	struct sysstat *s = xcalloc(1, sizeof(*s));

	buf_init(&s->text, PROC_MAX);
	read_counters(s, &s->before);
	return s;
}

void sysstat_free(struct sysstat *s)
{
	if (!s)
		return;
	buf_done(&s->text);
	free(s);
}

void sysstat_freep(struct sysstat **s)
{
	sysstat_free(*s);
}

void sysstat_sample(struct sysstat *s, struct wire_sample *ret)
{
	struct counters now;
	struct mounts mounts = {0};

	wire_sample_init(ret);
	ret->ts = clock_ms();
	ret->cores = sysconf(_SC_NPROCESSORS_ONLN);
	read_counters(s, &now);
	compare(s, &now, ret);
	s->before = now;
	parse_meminfo(slurp(s, "/proc/meminfo"), ret);
	parse_loadavg(slurp(s, "/proc/loadavg"), ret->load);
	parse_uptime(slurp(s, "/proc/uptime"), &ret->uptime_s);
	parse_pressure(slurp(s, "/proc/pressure/cpu"), &ret->pressure_cpu);
	parse_pressure(slurp(s, "/proc/pressure/io"), &ret->pressure_io);
	parse_pressure(slurp(s, "/proc/pressure/memory"), &ret->pressure_mem);
	parse_mountinfo(slurp(s, "/proc/self/mountinfo"), &mounts);
	measure_disks(&mounts, ret);
	list_done(&mounts);
}
