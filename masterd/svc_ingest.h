/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_INGEST_H
#define FELLOE_SVC_INGEST_H

#include "masterd/master.h"
#include "masterd/tbl_run.h"
#include "masterd/tbl_sample.h"
#include "masterd/writer.h"
#include "shared/buf.h"
#include "shared/list.h"
#include "shared/wire.h"

/* What nodes report: samples and runs. Committed, then shown. */
enum { SAMPLES_MAX = 500 };

struct ingest_sample {
	struct wire_sample s;
	bool skewed;              /* its clock is off */
};

struct ingest {
	struct job job;           /* first */
	struct master *m;
	int64_t node_id, now;
	struct { LIST_OF(struct ingest_sample); } samples;
	struct buf frames;        /* the samples as the journal has them (sample.h) */
	struct buf row;           /* the row of the journal that this job carries for others too; empty */
	int64_t row_samples;
	struct journal_id row_id;
	bool list;                /* of the past, not one of the moment */
	char *report;             /* the newest whole, when it is due to be stored; NULL */
	struct wire_run *run;     /* by PUT /runs; NULL */
	struct run_fate fate;     /* of the run */
	struct { LIST_OF(struct wire_run); } standing; /* when it ended as none, or was pruned: what is good and proven still */
};
/* What a node sent, to be filled and put; ingest_free is for req.state_free. */
struct ingest *ingest_new(struct master *m, int64_t node_id, int64_t now);
void ingest_free(void *ingest);
/* The next sample to fill, from wire_sample_init. */
struct wire_sample *ingest_add(struct ingest *v);
/* Queue all samples; j->rc and j->err tell the outcome once the ticket is done. */
int ingest_samples(struct ingest *v, struct err *e) MUSTCHECK;
/* Queue v->run. ERR_CONFLICT in the job: the uuid is another node's. */
int ingest_run(struct ingest *v, struct err *e) MUSTCHECK;

#endif
