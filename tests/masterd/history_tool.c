/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated history, written the way the master writes it, for bench/history.sh:
 *   history_tool fill URL NODES       a year of hours, 14 days of minutes, 24 h of samples every 10 s
 *   history_tool journal URL NODES MINUTES   samples every 10 s up to now that nobody has packed
 * Nodes have the numbers 1..NODES. Numbers move as those of a small web server do:
 * a day and night, slow drift, noise, bursts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/roll.h"
#include "masterd/tbl_sample.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { MINUTE = 60000, BEAT = 10000, ROW_SAMPLES = 100 };
static const int64_t HOUR = 60 * MINUTE, DAY = 24 * 60 * MINUTE;

/* ---- a machine */

struct machine {
	uint64_t random;
	double busy, mem, cache, load1, load5, load15, io, net, disk, data, swap;
	double cores, phase, level;
	int64_t jitter;
};

/* xorshift64*; 0 <= v < 1 */
static double uniform(struct machine *m)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return (double)((m->random * 0x2545F4914F6CDD1DULL) >> 11) / 9007199254740992.0;
}

static double normal(struct machine *m)
{
	return sqrt(-2 * log(1 - uniform(m))) * cos(6.283185307 * uniform(m));
}

static void machine_init(struct machine *m, int64_t id)
{
	*m = (struct machine){.random = (uint64_t)id * 0x9E3779B97F4A7C15ULL + 1};
	for (int i = 0; i < 10; i++)
		uniform(m);
	m->cores = 1 << (int)(uniform(m) * 3);
	m->phase = uniform(m) * 6.28;
	m->level = 2 + 20 * uniform(m) * uniform(m);
	m->mem = 0.3 + 0.5 * uniform(m);
	m->disk = 20 + 50 * uniform(m);
	m->data = 10 + 60 * uniform(m);
	m->swap = uniform(m) < 0.3 ? 0 : 0.2 * uniform(m);
}

static struct wire_disk *put_disk(struct wire_sample *s, const char *mount, double percent)
{
	struct wire_disk *d = list_push(&s->disks);

	str_cut(d->mount, sizeof(d->mount), mount);
	d->percent = percent;
	d->total = d->used = -1;
	return d;
}

/* Its numbers at ts, beat ms after those before. */
static void machine_step(struct machine *m, int64_t ts, int64_t beat, struct wire_sample *s)
{
	double day = 1 + 0.6 * sin(6.283185307 * (double)(ts % DAY) / (double)DAY + m->phase), cpu, rate;
	double keep = exp(-(double)beat / 60000);

	m->busy = m->busy * keep + normal(m) * 0.35 * sqrt(1 - keep * keep);
	cpu = m->level * day * exp(m->busy) + fabs(normal(m)) * 0.8 + (uniform(m) < 0.01 ? 60 * uniform(m) : 0);
	cpu = fmin(cpu, 100);
	m->mem += normal(m) * 0.0004 - (m->mem - 0.55) * 0.00005;
	m->mem = fmin(fmax(m->mem, 0.1), 0.95);
	m->load1 += (cpu / 100 * m->cores - m->load1) * (1 - exp(-(double)beat / 60000)) + fabs(normal(m)) * 0.01;
	m->load5 += (m->load1 - m->load5) * (1 - exp(-(double)beat / 300000));
	m->load15 += (m->load1 - m->load15) * (1 - exp(-(double)beat / 900000));
	m->disk += 2e-9 * (double)beat + (uniform(m) < 0.0005 ? -m->disk * 0.01 : 0);
	m->data += 4e-9 * (double)beat;
	m->disk = m->disk > 95 ? 30 : m->disk;
	m->data = m->data > 95 ? 20 : m->data;
	rate = day * exp(m->busy);
	wire_sample_init(s);
	s->ts = ts + (int64_t)(fabs(normal(m)) * 4);
	s->cpu = cpu;
	s->active_backups = ts % DAY < 10 * MINUTE;
	s->mem_total = 8264208384;
	s->mem_used = (int64_t)(8264208384 * m->mem);
	s->swap_total = 2147479552;
	s->swap_used = (int64_t)(2147479552 * m->swap);
	s->load[0] = m->load1;
	s->load[1] = m->load5;
	s->load[2] = m->load15;
	s->io_read = uniform(m) < 0.7 ? 0 : 20000 * rate * exp(normal(m));
	s->io_write = 60000 * rate * exp(normal(m) * 0.5);
	s->net_rx = 4000 * rate * exp(normal(m) * 0.3);
	s->net_tx = 30000 * rate * exp(normal(m) * 0.4);
	s->pressure_cpu = uniform(m) < 0.8 ? 0 : fabs(normal(m)) * m->level / 10;
	s->pressure_io = uniform(m) < 0.9 ? 0 : fabs(normal(m));
	s->pressure_mem = 0;
	put_disk(s, "/", round(m->disk * 100) / 100);
	put_disk(s, "/var/lib/mysql", round(m->data * 100) / 100);
	s->disk = fmax(s->disks.v[0].percent, s->disks.v[1].percent);
}

/* ---- blocks */

struct filler {
	struct db *db;
	int64_t node, now;
	struct machine machine;
	struct block src, open[RESOLUTIONS]; /* open: the block of each resolution that is being filled */
	int64_t start[RESOLUTIONS];
	int64_t from[RESOLUTIONS];           /* what is older is not kept */
};

static int close_block(struct filler *f, enum resolution r, struct err *e)
{
	const struct block_key k = {.res = r, .node_id = f->node, .start = f->start[r]};
	int rc = f->open[r].rows.n ? tbl_block_put(f->db, &k, &f->open[r], e) : 0;

	block_done(&f->open[r]);
	return rc;
}

/* The samples gathered in src, all of one hour, go the way of the packer. */
static int flush(struct filler *f, struct err *e)
{
	enum sample_news news[7200] = {KNOWN};
	const struct span all = {&f->src, news, 0, INT64_MAX};

	for (size_t i = 0; i < f->src.rows.n; i++)
		news[i] = NEW;
	for (int i = RES_RAW; i < RESOLUTIONS && f->src.rows.n; i++) {
		enum resolution r = (enum resolution)i;
		int64_t start = f->src.rows.v[0].ts / resolution_span(r) * resolution_span(r);

		if (start != f->start[r] && close_block(f, r, e))
			return -1;
		f->start[r] = start;
		if (f->src.rows.v[0].ts < f->from[r])
			continue;
		if (r == RES_RAW)
			roll_raw(&f->open[r], &all);
		else
			roll_add(&f->open[r], &all, resolution_step(r));
	}
	block_done(&f->src);
	return 0;
}

static int add(struct filler *f, const struct wire_sample *s, struct err *e)
{
	struct buf record;
	int rc;

	if (f->src.rows.n && f->src.rows.v[0].ts / HOUR != s->ts / HOUR && flush(f, e))
		return -1;
	buf_init(&record, 4096);
	record_put(&record, s);
	rc = record_get(&f->src, record.p, record.len, e);
	buf_done(&record);
	return rc;
}

static int fill_node(struct filler *f, struct err *e)
{
	int64_t ts = f->from[RES_HOUR], beat;
	struct wire_sample s;
	int rc = 0;

	machine_init(&f->machine, f->node);
	for (; ts < f->now && !rc; ts += beat) {
		/* hours that are nothing but hours any more need no more samples than make a mean */
		beat = ts < f->from[RES_MINUTE] ? 2 * MINUTE : BEAT;
		machine_step(&f->machine, ts, beat, &s);
		rc = add(f, &s, e);
		wire_sample_done(&s);
	}
	if (rc || flush(f, e))
		return -1;
	for (int r = RES_RAW; r < RESOLUTIONS; r++)
		if (close_block(f, (enum resolution)r, e))
			return -1;
	return 0;
}

static int fill(struct db *db, int64_t nodes, struct err *e)
{
	struct filler f = {.db = db, .now = clock_ms() / HOUR * HOUR};

	f.from[RES_RAW] = f.now - DAY;
	f.from[RES_MINUTE] = f.now - 14 * DAY;
	f.from[RES_HOUR] = f.now - 365 * DAY;
	for (f.node = 1; f.node <= nodes; f.node++) {
		if (db_begin(db, e) || fill_node(&f, e) || db_commit(db, e))
			return -1;
		if (f.node % 50 == 0)
			fprintf(stderr, "%lld of %lld nodes\r", (long long)f.node, (long long)nodes);
	}
	return 0;
}

/* ---- the journal */

struct journal {
	struct db *db;
	struct buf doc;
	int64_t samples;
	struct journal_row row;
};

static int end_row(struct journal *j, struct err *e)
{
	j->row.id.id++;
	j->row.samples = j->samples;
	j->row.doc = j->doc.p;
	j->row.n = j->doc.len;
	if (tbl_journal_add(j->db, &j->row, e))
		return -1;
	buf_reset(&j->doc);
	j->samples = 0;
	return 0;
}

static int journal_sample(struct journal *j, int64_t node, const struct wire_sample *s, struct err *e)
{
	struct frame f = {.node_id = node};
	struct buf record;

	buf_init(&record, 4096);
	record_put(&record, s);
	f.record = (const uint8_t *)record.p;
	f.record_n = record.len;
	frame_put(&j->doc, &f);
	buf_done(&record);
	return ++j->samples == ROW_SAMPLES ? end_row(j, e) : 0;
}

static int journal(struct db *db, int64_t nodes, int64_t minutes, struct err *e)
{
	struct machine *machines = xcalloc((size_t)nodes, sizeof(*machines));
	struct journal j = {.db = db};
	int64_t now = clock_ms();
	int rc = db_begin(db, e);

	buf_init(&j.doc, 1 << 20);
	random_uuid(j.row.id.origin);
	for (int64_t i = 0; i < nodes; i++)
		machine_init(&machines[i], i + 1);
	for (int64_t ts = now - minutes * MINUTE; ts < now && !rc; ts += BEAT)
		for (int64_t i = 0; i < nodes && !rc; i++) {
			struct wire_sample s;

			machine_step(&machines[i], ts + i * BEAT / nodes, BEAT, &s);
			j.row.at = ts;
			rc = journal_sample(&j, i + 1, &s, e);
			wire_sample_done(&s);
		}
	free(machines);
	rc = rc || (j.samples && end_row(&j, e)) || db_commit(db, e) ? -1 : 0;
	buf_done(&j.doc);
	return rc;
}

int main(int argc, char **argv)
{
	struct db *db = NULL;
	int64_t nodes, minutes = 10;
	struct err e = {0};
	int rc;

	if (argc < 4 || str_to_i64(&nodes, argv[3], 1, 1000000) ||
	    (argc > 4 && str_to_i64(&minutes, argv[4], 1, 1440))) {
		fputs("usage: history_tool fill|journal URL NODES [MINUTES]\n", stderr);
		return 2;
	}
	rc = db_open(&db, argv[2], false, &e);
	if (!rc)
		rc = str_eq(argv[1], "fill") ? fill(db, nodes, &e) : journal(db, nodes, minutes, &e);
	db_close(db);
	if (rc)
		fprintf(stderr, "%s\n", e.msg);
	return rc ? 1 : 0;
}
