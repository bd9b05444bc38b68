/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/tar.c"

#include "tests/unit.h"

static void round_trip(const struct tar_entry *t, struct tar_entry *back)
{
	struct err e = {0};
	size_t used = 0;
	struct buf b;

	buf_init(&b, 8 << 20);
	tar_put_header(&b, t);
	assert_false(b.over);
	assert_int_equal(b.len % TAR_BLOCK, 0);
	/* every shorter piece asks for more */
	for (size_t n = 0; n < b.len; n += TAR_BLOCK)
		assert_int_equal(tar_get_header(back, b.p, n, &used, &e), 0);
	assert_int_equal(tar_get_header(back, b.p, b.len, &used, &e), 1);
	assert_int_equal(used, b.len);
	buf_done(&b);
	assert_string_equal(back->name, t->name);
	assert_int_equal(back->type, t->type);
	assert_int_equal(back->mode, t->mode);
	assert_int_equal(back->uid, t->uid);
	assert_int_equal(back->gid, t->gid);
	assert_int_equal(back->size, t->size);
	assert_int_equal(back->mtime_ns, t->mtime_ns);
	if (t->link)
		assert_string_equal(back->link, t->link);
}

static void a_plain_header_is_one_block(void **state UNUSED)
{
	struct tar_entry t = {.name = (char[]){"a/b"}, .type = '0', .mode = 0644, .size = 5, .mtime_ns = 1000000000}, back;
	struct buf b;

	buf_init(&b, 1 << 20);
	tar_put_header(&b, &t);
	assert_int_equal(b.len, TAR_BLOCK);
	buf_done(&b);
	round_trip(&t, &back);
	tar_entry_done(&back);
}

static void what_does_not_fit_comes_back_from_pax_records(void **state UNUSED)
{
	static const int64_t times[] = {0, 1, -1, -1500000000, 1763867400123456789, INT64_C(9000000000) * 1000000000};
	char name[1200], link[400], user[60];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memset(link, '\xff', sizeof(link));
	link[sizeof(link) - 1] = '\0';
	memset(user, 'u', sizeof(user));
	user[sizeof(user) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		for (size_t len = 90; len < 1200; len += 37) {
			struct tar_entry back, t = {.name = name + sizeof(name) - 1 - len, .type = '0', .mode = 07777,
						    .uid = 4000000000u, .gid = 2097152, .size = UINT64_C(1) << 40,
						    .mtime_ns = times[i], .uname = user, .gname = user};

			round_trip(&t, &back);
			assert_string_equal(back.uname, user);
			assert_string_equal(back.gname, user);
			tar_entry_done(&back);
			t.type = '2';
			t.size = 0;
			t.link = link;
			round_trip(&t, &back);
			tar_entry_done(&back);
		}
}

static void extended_attributes_keep_their_bytes_and_odd_names(void **state UNUSED)
{
	struct tar_xattr x[] = {{(char[]){"user.a=b%3D"}, (char[]){"a\0b\n"}, 4}, {(char[]){"user.none"}, (char[]){""}, 0}};
	struct tar_entry back, t = {.name = (char[]){"f"}, .type = '0', .mode = 0600};

	t.xattrs.v = x;
	t.xattrs.n = 2;
	round_trip(&t, &back);
	assert_int_equal(back.xattrs.n, 2);
	assert_string_equal(back.xattrs.v[0].name, "user.a=b%3D");
	assert_int_equal(back.xattrs.v[0].len, 4);
	assert_memory_equal(back.xattrs.v[0].value, "a\0b\n", 4);
	assert_int_equal(back.xattrs.v[1].len, 0);
	tar_entry_done(&back);
}

static void directories_lose_their_slash_and_sparse_files_their_parts_name(void **state UNUSED)
{
	struct tar_entry back, dir = {.name = (char[]){"a/b"}, .type = '5', .mode = 0755};
	struct tar_entry sparse = {.name = (char[]){"a/s"}, .type = '0', .size = 1024, .sparse = true, .real_size = 1 << 30};

	round_trip(&dir, &back);
	tar_entry_done(&back);
	round_trip(&sparse, &back);
	assert_true(back.sparse);
	assert_int_equal(back.real_size, 1 << 30);
	tar_entry_done(&back);
}

static void the_map_of_a_sparse_file_comes_back(void **state UNUSED)
{
	struct tar_run runs[200];
	struct tar_map map;
	struct err e = {0};
	size_t used;
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(runs); i++)
		runs[i] = (struct tar_run){i * 1000000, 4096};
	buf_init(&b, 1 << 20);
	tar_put_map(&b, runs, ARRAY_LEN(runs));
	assert_int_equal(b.len % TAR_BLOCK, 0);
	for (size_t n = 0; n < b.len; n++) {
		assert_int_equal(tar_get_map(&map, 200000000, b.p, n, &used, &e), 0);
		list_done(&map);
	}
	assert_int_equal(tar_get_map(&map, 200000000, b.p, b.len, &used, &e), 1);
	assert_int_equal(used, b.len);
	assert_int_equal(map.n, ARRAY_LEN(runs));
	assert_memory_equal(map.v, runs, sizeof(runs));
	list_done(&map);
	/* ends past the file */
	assert_int_equal(tar_get_map(&map, 199000000, b.p, b.len, &used, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	list_done(&map);
	buf_done(&b);
	assert_int_equal(tar_get_map(&map, 100, "2\n50\n10\n40\n10\n", 14, &used, &e), -1);
	list_done(&map);
	assert_int_equal(tar_get_map(&map, 100, "99999999999999999999999\n", 24, &used, &e), -1);
	list_done(&map);
}

static void the_end_of_a_tar_is_two_zero_blocks(void **state UNUSED)
{
	char zeros[2 * TAR_BLOCK] = {0};
	struct tar_entry t;
	struct err e = {0};
	size_t used;

	assert_int_equal(tar_get_header(&t, zeros, TAR_BLOCK, &used, &e), 0);
	assert_int_equal(tar_get_header(&t, zeros, sizeof(zeros), &used, &e), 2);
	zeros[700] = 1;
	assert_int_equal(tar_get_header(&t, zeros, sizeof(zeros), &used, &e), -1);
	assert_string_equal(e.msg, "half an end of a tar");
}

/* xorshift, so that each run breaks the same bytes */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Broken headers are refused or read, never worse; the checksum is made right
 * again for half of them, so that the fields are reached. */
static void broken_headers_do_no_harm(void **state UNUSED)
{
	struct tar_xattr x = {(char[]){"user.a"}, (char[]){"value"}, 5};
	char name[300];
	struct tar_entry t = {.name = name, .type = '0', .sparse = true, .real_size = 77, .size = 512, .mtime_ns = -5};
	uint32_t seed = 42;
	struct buf b;

	memset(name, 'a', sizeof(name));
	name[299] = '\0';
	t.xattrs.v = &x;
	t.xattrs.n = 1;
	buf_init(&b, 1 << 20);
	tar_put_header(&b, &t);
	for (int i = 0; i < 20000; i++) {
		CLEANUP(freep) char *copy = xmemdup(b.p, b.len);
		struct tar_entry got = {0};
		struct ustar h;
		size_t used, n = b.len;

		for (uint32_t k = next_random(&seed) % 4 + 1; k > 0; k--)
			copy[next_random(&seed) % b.len] = (char)next_random(&seed);
		for (size_t at = 0; i % 2 && at < b.len; at += b.len - TAR_BLOCK) {
			memcpy(&h, copy + at, sizeof(h));
			put_octal(h.chksum, sizeof(h.chksum) - 1, checksum(&h));
			memcpy(copy + at, &h, sizeof(h));
		}
		if (i % 3 == 0)
			n = next_random(&seed) % (b.len + 1);
		if (tar_get_header(&got, copy, n, &used, NULL) == 1) {
			assert_true(used <= n);
			assert_non_null(got.name);
			tar_entry_done(&got);
		}
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_header_is_one_block),
		cmocka_unit_test(what_does_not_fit_comes_back_from_pax_records),
		cmocka_unit_test(extended_attributes_keep_their_bytes_and_odd_names),
		cmocka_unit_test(directories_lose_their_slash_and_sparse_files_their_parts_name),
		cmocka_unit_test(the_map_of_a_sparse_file_comes_back),
		cmocka_unit_test(the_end_of_a_tar_is_two_zero_blocks),
		cmocka_unit_test(broken_headers_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
