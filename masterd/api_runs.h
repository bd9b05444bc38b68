/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_RUNS_H
#define FELLOE_API_RUNS_H

#include "masterd/req.h"

/* PUT /runs/{uuid} of nodes; GET /runs, /runs/{uuid}. */
req_fn api_run_put, api_runs, api_run;

#endif
