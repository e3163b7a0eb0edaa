/*
 * Copyright (c) 2026 The qgad authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/* Each wrong request and the text that says so; each right one's values. */

#include <atf-c.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "schema.h"

static struct arg args[SCHEMA_ARGS];
static struct json_object *root;

/* NULL: all is well, else the error's text. */
static char *
check(const char *json)
{
	struct json_object *in;
	enum command_id cmd;
	const char *name;
	char *error = NULL;

	root = json_tokener_parse(json);
	ATF_REQUIRE(json_object_is_type(root, json_type_object));
	if (schema_message(root, &cmd, &name, &in, &error) == -1)
		return (error);
	ATF_REQUIRE(cmd < CMD_MAX);
	if (schema_args(cmd, in, args, &error) == -1)
		return (error);
	ATF_REQUIRE(error == NULL);
	return (NULL);
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
#define PASSWORD "{\"execute\": \"guest-set-user-password\", "	\
	"\"arguments\": "
#define SSH "{\"execute\": \"guest-ssh-"
#define EXEC	"{\"execute\": \"guest-exec\", \"arguments\": "
#define VCPUS	"{\"execute\": \"guest-set-vcpus\", \"arguments\": {"
#define BLOCKS	"{\"execute\": \"guest-set-memory-blocks\", " \
		"\"arguments\": {"
	static const struct {
		const char	*in, *want;
	} cases[] = {
		{ "{}", "QMP input lacks member 'execute'" },
		{ "{\"arguments\": {}}", "QMP input lacks member 'execute'" },
		{ "{\"execute\": 1}",
		  "QMP input member 'execute' must be a string" },
		{ "{\"execute\": null}",
		  "QMP input member 'execute' must be a string" },
		{ "{\"execute\": \"guest-ping\", \"arguments\": []}",
		  "QMP input member 'arguments' must be an object" },
		{ "{\"execute\": \"guest-ping\", \"arguments\": null}",
		  "QMP input member 'arguments' must be an object" },
		{ "{\"exec-oob\": \"guest-ping\"}",
		  "QMP input member 'exec-oob' is unexpected" },
		{ "{\"execute\": \"guest-ping\", \"arguments\": {\"a\": 1}}",
		  "Parameter 'a' is unexpected" },
		{ "{\"execute\": \"guest-sync\"}",
		  "Parameter 'id' is missing" },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": "
		  "null}}",
		  "Invalid parameter type for 'id', expected: integer" },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": "
		  "1.0}}",
		  "Invalid parameter type for 'id', expected: integer" },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": "
		  "\"1\"}}",
		  "Invalid parameter type for 'id', expected: integer" },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": "
		  "true}}",
		  "Invalid parameter type for 'id', expected: integer" },
		{ EXEC "{}}", "Parameter 'path' is missing" },
		{ EXEC "{\"input-data\": \"\"}}",
		  "Parameter 'path' is missing" },
		{ EXEC "{\"path\": 1}}",
		  "Invalid parameter type for 'path', expected: string" },
		{ EXEC "{\"path\": \"x\", \"arg\": \"y\"}}",
		  "Invalid parameter type for 'arg', expected: array" },
		{ EXEC "{\"path\": \"x\", \"arg\": [\"a\", 1]}}",
		  "Invalid parameter type for 'arg[1]', expected: string" },
		{ EXEC "{\"path\": \"x\", \"env\": [null]}}",
		  "Invalid parameter type for 'env[0]', expected: string" },
		{ EXEC "{\"path\": \"x\", \"input-data\": 1}}",
		  "Invalid parameter type for 'input-data', expected: "
		  "string" },
		{ EXEC "{\"path\": \"x\", \"capture-output\": 1}}",
		  "Invalid parameter type for 'capture-output', expected: "
		  "GuestExecCaptureOutput" },
		{ EXEC "{\"path\": \"x\", \"capture-output\": \"all\"}}",
		  "Parameter 'capture-output' does not accept value 'all'" },
		{ EXEC "{\"path\": \"x\", \"buf-b64\": \"\"}}",
		  "Parameter 'buf-b64' is unexpected" },
		/* what is missing is told before what is too much */
		{ EXEC "{\"nonsense\": \"x\"}}",
		  "Parameter 'path' is missing" },
		{ "{\"execute\": \"guest-exec-status\"}",
		  "Parameter 'pid' is missing" },
		{ "{\"execute\": \"guest-shutdown\", \"arguments\": "
		  "{\"mode\": 1}}",
		  "Invalid parameter type for 'mode', expected: string" },
		{ "{\"execute\": \"guest-set-user-password\"}",
		  "Parameter 'username' is missing" },
		{ PASSWORD "{\"username\": \"u\"}}",
		  "Parameter 'password' is missing" },
		{ PASSWORD "{\"username\": \"u\", \"password\": \"\"}}",
		  "Parameter 'crypted' is missing" },
		{ PASSWORD "{\"username\": 1, \"password\": \"\", "
		  "\"crypted\": true}}",
		  "Invalid parameter type for 'username', expected: string" },
		{ PASSWORD "{\"username\": \"u\", \"password\": 1, "
		  "\"crypted\": true}}",
		  "Invalid parameter type for 'password', expected: string" },
		{ PASSWORD "{\"username\": \"u\", \"password\": \"\", "
		  "\"crypted\": 1}}",
		  "Invalid parameter type for 'crypted', expected: boolean" },
		{ PASSWORD "{\"username\": \"u\\u0000\", \"password\": "
		  "\"\", \"crypted\": true}}",
		  "Invalid parameter type for 'username', expected: string" },
		{ "{\"execute\": \"guest-ssh-get-authorized-keys\"}",
		  "Parameter 'username' is missing" },
		{ SSH "add-authorized-keys\", \"arguments\": "
		  "{\"username\": \"u\"}}",
		  "Parameter 'keys' is missing" },
		{ SSH "add-authorized-keys\", \"arguments\": "
		  "{\"username\": \"u\", \"keys\": [\"k\\u0000\"]}}",
		  "Invalid parameter type for 'keys[0]', expected: string" },
		{ SSH "add-authorized-keys\", \"arguments\": "
		  "{\"username\": \"u\", \"keys\": [], \"reset\": 1}}",
		  "Invalid parameter type for 'reset', expected: boolean" },
		{ SSH "remove-authorized-keys\", \"arguments\": "
		  "{\"username\": \"u\", \"keys\": [], \"reset\": true}}",
		  "Parameter 'reset' is unexpected" },
		{ "{\"execute\": \"guest-set-time\", \"arguments\": "
		  "{\"time\": \"now\"}}",
		  "Invalid parameter type for 'time', expected: integer" },
		{ "{\"execute\": \"guest-fstrim\", \"arguments\": "
		  "{\"minimum\": 0.5}}",
		  "Invalid parameter type for 'minimum', expected: integer" },
		{ "{\"execute\": \"guest-suspend-ram\", \"arguments\": "
		  "{\"mode\": 1}}",
		  "Parameter 'mode' is unexpected" },
		{ VCPUS "}}",
		  "Parameter 'vcpus' is missing" },
		{ VCPUS "\"vcpus\": {}}}",
		  "Invalid parameter type for 'vcpus', expected: array" },
		{ VCPUS "\"vcpus\": [1]}}",
		  "Invalid parameter type for 'vcpus[0]', expected: object" },
		{ VCPUS "\"vcpus\": [{}]}}",
		  "Parameter 'vcpus[0].logical-id' is missing" },
		{ VCPUS "\"vcpus\": [{\"logical-id\": 1.0}]}}",
		  "Invalid parameter type for 'vcpus[0].logical-id', "
		  "expected: integer" },
		{ VCPUS "\"vcpus\": [{\"logical-id\": 1}]}}",
		  "Parameter 'vcpus[0].online' is missing" },
		{ VCPUS "\"vcpus\": [{\"logical-id\": 1, \"online\": "
		  "true}, {\"logical-id\": 1, \"online\": 1}]}}",
		  "Invalid parameter type for 'vcpus[1].online', expected: "
		  "boolean" },
		{ VCPUS "\"vcpus\": [{\"logical-id\": 1, \"online\": true, "
		  "\"can-offline\": null}]}}",
		  "Invalid parameter type for 'vcpus[0].can-offline', "
		  "expected: boolean" },
		{ VCPUS "\"vcpus\": [{\"logical-id\": 1, \"online\": true, "
		  "\"x\": 1}]}}",
		  "Parameter 'vcpus[0].x' is unexpected" },
		{ VCPUS "\"vcpus\": [], \"y\": 1}}",
		  "Parameter 'y' is unexpected" },
		{ BLOCKS "\"mem-blks\": [{\"phys-index\": \"a\"}]}}",
		  "Parameter 'mem-blks[0].phys-index' expects uint64" },
		{ BLOCKS "\"mem-blks\": [{\"phys-index\": 1, \"online\": "
		  "true, \"logical-id\": 1}]}}",
		  "Parameter 'mem-blks[0].logical-id' is unexpected" },
	};
	char *error;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		error = check(cases[i].in);
		ATF_REQUIRE_MSG(error != NULL, "accepted: %s", cases[i].in);
		ATF_CHECK_STREQ(cases[i].want, error);
		free(error);
		json_object_put(root);
	}
}

ATF_TC_WITHOUT_HEAD(values);
ATF_TC_BODY(values, tc)
{
	static const struct {
		const char	*json;
		int		 mode;
	} modes[] = {
		{ "true", CAPTURE_SEPARATED },
		{ "false", CAPTURE_NONE },
		{ "\"none\"", CAPTURE_NONE },
		{ "\"stdout\"", CAPTURE_STDOUT },
		{ "\"stderr\"", CAPTURE_STDERR },
		{ "\"separated\"", CAPTURE_SEPARATED },
		{ "\"merged\"", CAPTURE_MERGED },
	};
	struct unit unit;
	char *json;
	size_t i;

	ATF_REQUIRE(check(VCPUS "\"vcpus\": [{\"online\": true, "
	    "\"logical-id\": -1, \"can-offline\": false}, {\"logical-id\": "
	    "9223372036854775807, \"online\": false}]}}") == NULL);
	ATF_REQUIRE_EQ(2, args[SET_UNITS_LIST].n);
	schema_unit(&args[SET_UNITS_LIST], 0, &unit);
	ATF_CHECK(unit.number == UINT64_MAX && unit.online == 1);
	schema_unit(&args[SET_UNITS_LIST], 1, &unit);
	ATF_CHECK(unit.number == INT64_MAX && unit.online == 0);
	json_object_put(root);
	ATF_REQUIRE(check(BLOCKS "\"mem-blks\": [{\"phys-index\": 7, "
	    "\"online\": true}]}}") == NULL);
	schema_unit(&args[SET_UNITS_LIST], 0, &unit);
	ATF_CHECK(unit.number == 7 && unit.online == 1);
	json_object_put(root);
	ATF_REQUIRE(check("{\"execute\": \"guest-set-time\"}") == NULL);
	ATF_CHECK(!args[SET_TIME_TIME].given);
	json_object_put(root);
	ATF_REQUIRE(check("{\"execute\": \"guest-sync\", \"arguments\": "
	    "{\"id\": -9223372036854775808}, \"id\": [1]}") == NULL);
	ATF_CHECK_EQ(INT64_MIN, args[SYNC_ID].num);
	json_object_put(root);
	ATF_REQUIRE(check("{\"execute\": \"guest-sync\", \"arguments\": "
	    "{\"id\": 9223372036854775807}}") == NULL);
	ATF_CHECK_EQ(INT64_MAX, args[SYNC_ID].num);
	json_object_put(root);
	ATF_REQUIRE(check(EXEC "{\"path\": \"sh\", \"arg\": [\"-c\", "
	    "\"\\u20ac\"], \"input-data\": \"\"}}") == NULL);
	ATF_CHECK_STREQ("sh", args[EXEC_PATH].str);
	ATF_REQUIRE_EQ(2, args[EXEC_ARG].n);
	ATF_CHECK_STREQ("-c", schema_item(&args[EXEC_ARG], 0));
	ATF_CHECK_STREQ("\xe2\x82\xac", schema_item(&args[EXEC_ARG], 1));
	ATF_CHECK(args[EXEC_INPUT].given);
	ATF_CHECK(!args[EXEC_ENV].given);
	ATF_CHECK_EQ(CAPTURE_NONE, args[EXEC_CAPTURE].num);
	json_object_put(root);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		json = text_format(EXEC "{\"path\": \"x\", "
		    "\"capture-output\": %s}}", modes[i].json);
		ATF_REQUIRE(check(json) == NULL);
		ATF_CHECK_EQ(modes[i].mode, args[EXEC_CAPTURE].num);
		json_object_put(root);
		free(json);
	}
}

/* Every row has a schema that accepts no arguments or says what is missing. */
ATF_TC_WITHOUT_HEAD(every_command);
ATF_TC_BODY(every_command, tc)
{
	char *json, *error;
	int i;

	for (i = 0; i < CMD_MAX; i++) {
		json = text_format("{\"execute\": \"%s\"}", commands[i].name);
		error = check(json);
		ATF_CHECK_MSG(error == NULL || strstr(error, "is missing") !=
		    NULL, "%s: %s", json, error);
		free(error);
		free(json);
		json_object_put(root);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, values);
	ATF_TP_ADD_TC(tp, every_command);
	return (atf_no_error());
}
