/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_sample.h"

#include "shared/mem.h"

static void set_count(struct db_stmt *s, int at, int64_t v)
{
	/* a parameter that is not set is NULL */
	if (v >= 0)
		db_set_int(s, at, v);
}

static void set_known(struct db_stmt *s, int at, double v)
{
	if (v == v)
		db_set_num(s, at, v);
}

int tbl_sample_add(struct db *db, int64_t node_id, const struct wire_sample *v, const char *disks, bool skewed,
		   struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO sample_hot(node_id,ts,cpu,disk,active,mem_total,mem_used,swap_total,swap_used,"
		       "load1,load5,load15,io_read,io_write,net_rx,net_tx,press_cpu,press_io,press_mem,disks,skewed) "
		       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21) "
		       "ON CONFLICT(node_id,ts) DO NOTHING",
		       e))
		return -1;
	db_set_int(&s, 1, node_id);
	db_set_int(&s, 2, v->ts);
	set_known(&s, 3, v->cpu);
	set_known(&s, 4, v->disk);
	set_count(&s, 5, v->active_backups);
	set_count(&s, 6, v->mem_total);
	set_count(&s, 7, v->mem_used);
	set_count(&s, 8, v->swap_total);
	set_count(&s, 9, v->swap_used);
	set_known(&s, 10, v->load[0]);
	set_known(&s, 11, v->load[1]);
	set_known(&s, 12, v->load[2]);
	set_known(&s, 13, v->io_read);
	set_known(&s, 14, v->io_write);
	set_known(&s, 15, v->net_rx);
	set_known(&s, 16, v->net_tx);
	set_known(&s, 17, v->pressure_cpu);
	set_known(&s, 18, v->pressure_io);
	set_known(&s, 19, v->pressure_mem);
	if (disks)
		db_set_str(&s, 20, disks);
	db_set_int(&s, 21, skewed);
	return db_run(&s, e);
}

static int64_t count(struct db_stmt *s, int col)
{
	return db_is_null(s, col) ? -1 : db_int(s, col);
}

static void read_row(struct db_stmt *s, struct sample_row *r)
{
	wire_sample_init(&r->s);
	r->s.ts = db_int(s, 0);
	r->s.cpu = db_num(s, 1);
	r->s.disk = db_num(s, 2);
	r->s.active_backups = count(s, 3);
	r->s.mem_total = count(s, 4);
	r->s.mem_used = count(s, 5);
	r->s.swap_total = count(s, 6);
	r->s.swap_used = count(s, 7);
	for (int i = 0; i < 3; i++)
		r->s.load[i] = db_num(s, 8 + i);
	r->s.io_read = db_num(s, 11);
	r->s.io_write = db_num(s, 12);
	r->s.net_rx = db_num(s, 13);
	r->s.net_tx = db_num(s, 14);
	r->s.pressure_cpu = db_num(s, 15);
	r->s.pressure_io = db_num(s, 16);
	r->s.pressure_mem = db_num(s, 17);
	r->disks = db_str(s, 18);
}

/* check-size: which rows, and who takes them */
int tbl_sample_each(struct db *db, const struct sample_range *range,
		    void (*each)(void *ctx, const struct sample_row *row), void *ctx, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct sample_row row;
	int got;

	if (db_prepare(db, &s,
		       "SELECT ts,cpu,disk,active,mem_total,mem_used,swap_total,swap_used,load1,load5,load15,io_read,"
		       "io_write,net_rx,net_tx,press_cpu,press_io,press_mem,disks FROM sample_hot "
		       "WHERE node_id=?1 AND ts>=?2 AND ts<?3 ORDER BY ts",
		       e))
		return -1;
	db_set_int(&s, 1, range->node_id);
	db_set_int(&s, 2, range->from);
	db_set_int(&s, 3, range->to);
	while ((got = db_step(&s, e)) > 0) {
		read_row(&s, &row);
		each(ctx, &row);
	}
	return got;
}

int tbl_sample_expire(struct db *db, int64_t node_id, int64_t before, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM sample_hot WHERE node_id=?1 AND ts<?2", e))
		return -1;
	db_set_int(&s, 1, node_id);
	db_set_int(&s, 2, before);
	return db_run(&s, e);
}
