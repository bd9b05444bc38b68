/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_token.h"

#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

static const struct {
	const char *word;
	unsigned may;
} words[] = {{"read", TOKEN_READ}, {"write", TOKEN_WRITE}, {"metrics", TOKEN_METRICS}};

const char *token_words(char text[static TOKEN_WORDS], unsigned may)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!(may & words[i].may))
			continue;
		if (n)
			text[n++] = ' ';
		str_cut(text + n, TOKEN_WORDS - n, words[i].word);
		n = strlen(text);
	}
	return text;
}

unsigned token_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(words[i].word, word))
			return words[i].may;
	return 0;
}

int tbl_token_add(struct db *db, struct token *t, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	char text[TOKEN_WORDS];
	int got;

	if (db_prepare(db, &s,
		       "INSERT INTO api_token(name,hash,account_id,role,tags,scopes,created,expires,last_used,last_peer) "
		       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,0,'') ON CONFLICT(name) DO NOTHING RETURNING id",
		       e))
		return -1;
	db_set_str(&s, 1, t->name);
	db_set_blob(&s, 2, t->hash, SHA256_LEN);
	db_set_int(&s, 3, t->account_id);
	db_set_str(&s, 4, role_name(t->role));
	db_set_str(&s, 5, t->scope.tags[0] ? t->scope.tags : "[]");
	db_set_str(&s, 6, token_words(text, t->may));
	db_set_int(&s, 7, t->created);
	db_set_int(&s, 8, t->expires);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_CONFLICT, "an API token \"%s\" exists already", t->name);
	t->id = db_int(&s, 0);
	db_done(&s);
	return tbl_auth_touch(db, e);
}

int tbl_token_put(struct db *db, const struct token *t, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	char text[TOKEN_WORDS];
	int got;

	if (db_prepare(db, &s,
		       "UPDATE api_token SET name=?2,role=?3,tags=?4,scopes=?5,expires=?6 WHERE id=?1 AND NOT EXISTS"
		       "(SELECT 1 FROM api_token o WHERE o.name=?2 AND o.id<>?1) RETURNING id",
		       e))
		return -1;
	db_set_int(&s, 1, t->id);
	db_set_str(&s, 2, t->name);
	db_set_str(&s, 3, role_name(t->role));
	db_set_str(&s, 4, t->scope.tags[0] ? t->scope.tags : "[]");
	db_set_str(&s, 5, token_words(text, t->may));
	db_set_int(&s, 6, t->expires);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_CONFLICT, "an API token \"%s\" exists already", t->name);
	db_done(&s);
	return tbl_auth_touch(db, e);
}

int tbl_token_drop(struct db *db, int64_t id, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM api_token WHERE id=?1", e))
		return -1;
	db_set_int(&s, 1, id);
	return db_run(&s, e) ? -1 : tbl_auth_touch(db, e);
}

#define COLUMNS                                                                                                       \
	"SELECT t.id,t.name,t.hash,t.account_id,a.name,t.role,t.tags,t.scopes,t.created,t.expires,t.last_used,t.last_peer " \
	"FROM api_token t JOIN account a ON a.id=t.account_id "

static unsigned read_words(const char *text)
{
	CLEANUP(freep) char *copy = xstrdup(text);
	char *rest = copy, *word;
	unsigned may = 0;

	while ((word = strsep(&rest, " ")))
		may |= token_word(word);
	return may;
}

static void read_token(struct db_stmt *s, struct token *t)
{
	const void *hash;
	size_t n;

	t->id = db_int(s, 0);
	str_cut(t->name, sizeof(t->name), db_str(s, 1));
	hash = db_blob(s, 2, &n);
	if (hash && n == SHA256_LEN)
		memcpy(t->hash, hash, n);
	t->account_id = db_int(s, 3);
	str_cut(t->owner, sizeof(t->owner), db_str(s, 4));
	/* a role that we do not know may nothing */
	if (role_from(&t->role, db_str(s, 5)))
		t->role = ROLE_ALL;
	str_cut(t->scope.tags, sizeof(t->scope.tags), db_str(s, 6));
	t->may = read_words(db_str(s, 7));
	t->created = db_int(s, 8);
	t->expires = db_int(s, 9);
	t->last_used = db_int(s, 10);
	str_cut(t->last_peer, sizeof(t->last_peer), db_str(s, 11));
}

int tbl_token_get(struct db *db, int64_t id, struct token *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, COLUMNS "WHERE t.id=?1", e))
		return -1;
	db_set_int(&s, 1, id);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "there is no API token %lld", (long long)id);
	memset(ret, 0, sizeof(*ret));
	read_token(&s, ret);
	return 0;
}

int tbl_token_list(struct db *db, int64_t after, int64_t limit, struct tokens *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, COLUMNS "WHERE t.id>?1 ORDER BY t.id LIMIT ?2", e))
		return -1;
	db_set_int(&s, 1, after);
	db_set_int(&s, 2, limit);
	while ((got = db_step(&s, e)) > 0)
		read_token(&s, list_push(ret));
	return got;
}

int tbl_token_used(struct db *db, int64_t id, int64_t at, const char *peer, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE api_token SET last_used=?1,last_peer=?2 WHERE id=?3", e))
		return -1;
	db_set_int(&s, 1, at);
	db_set_str(&s, 2, peer);
	db_set_int(&s, 3, id);
	return db_run(&s, e);
}
