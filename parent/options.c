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

/*
 * The command line, qemu-ga's to the letter and a few long options of our
 * own, and the order in which it and the file are obeyed: the command line
 * wins, lists add up.
 */

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"

#define PATH_QEMU_CONF	"/etc/qemu/qemu-ga.conf"

#define DUMPING		0x1	/* -D */
#define CHECKING	0x2	/* -n */

enum { OPT_TEST = 256, OPT_COMMANDS, OPT_THAW, OPT_SELFTEST };

static const struct option longopts[] = {
	{ "allow-rpcs",		required_argument, NULL, 'a' },
	{ "blacklist",		required_argument, NULL, 'b' },
	{ "block-rpcs",		required_argument, NULL, 'b' },
	{ "config",		required_argument, NULL, 'c' },
	{ "daemonize",		no_argument, NULL, 'd' },
	{ "dump-conf",		no_argument, NULL, 'D' },
	{ "fsfreeze-hook",	optional_argument, NULL, 'F' },
	{ "help",		no_argument, NULL, 'h' },
	{ "list-commands",	no_argument, NULL, OPT_COMMANDS },
	{ "logfile",		required_argument, NULL, 'l' },
	{ "method",		required_argument, NULL, 'm' },
	{ "path",		required_argument, NULL, 'p' },
	{ "pidfile",		required_argument, NULL, 'f' },
	{ "retry-path",		no_argument, NULL, 'r' },
	{ "self-test",		optional_argument, NULL, OPT_SELFTEST },
	{ "statedir",		required_argument, NULL, 't' },
	{ "test",		no_argument, NULL, OPT_TEST },
	{ "thaw",		no_argument, NULL, OPT_THAW },
	{ "verbose",		no_argument, NULL, 'v' },
	{ "version",		no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static const char shortopts[] = "hVvdm:p:l:f:F::b:a:t:c:Drn";

static const struct method_row {
	const char	*name;
	const char	*path;		/* default; NULL: none */
} methods[METHOD_MAX] = {
	[METHOD_VIRTIO_SERIAL] = { "virtio-serial", PATH_VIRTIO },
	[METHOD_ISA_SERIAL] = { "isa-serial", PATH_ISA },
	[METHOD_UNIX_LISTEN] = { "unix-listen", NULL },
	[METHOD_VSOCK_LISTEN] = { "vsock-listen", NULL },
	[METHOD_STDIO] = { "stdio", "-" },
};

static const char *informed(int, char *[]);
static void	 again(void);
static int	 take(int, char *[], struct conf *);
static char	**text_of(struct conf *, int);
static void	 append(struct rpc **, struct rpc *);
static void	 absolute(struct conf *);
static void	 load(struct conf *, const char *);
static void	 replace(char **, const char *);
static void	 usage(const char *);
static void	 dump(const struct conf *);
static void	 dump_list(const char *, const struct rpc *);
static void	 list_commands(void);
static void	 settle(struct conf *);
static void	 look_up(const struct conf *);
static void	 die(const char *, ...) __attribute__((noreturn,
		    format(printf, 1, 2)));

void
options(int argc, char *argv[], struct conf *conf)
{
	int flags;

	conf_defaults(conf);
	load(conf, informed(argc, argv));
	flags = take(argc, argv, conf);
	settle(conf);
	look_up(conf);
	if (flags & DUMPING)
		dump(conf);
	if (flags & (DUMPING | CHECKING))
		exit(0);
	absolute(conf);
}

/* What needs no file is answered; returns the file of -c.  Errors wait. */
static const char *
informed(int argc, char *argv[])
{
	const char *config = NULL;
	int ch, i;

	opterr = 0;
	while ((ch = getopt_long(argc, argv, shortopts, longopts, NULL)) !=
	    -1) {
		switch (ch) {
		case 'c':
			config = optarg;
			break;
		case 'h':
			usage(argv[0]);
			exit(0);
		case 'V':
			printf("QEMU Guest Agent %s\n", QGAD_VERSION);
			exit(0);
		case OPT_COMMANDS:
			list_commands();
			exit(0);
		case 'b':
			if (strcmp(optarg, "help") != 0 &&
			    strcmp(optarg, "?") != 0)
				break;
			for (i = 0; i < CMD_MAX; i++)
				if (command_here((enum command_id)i))
					printf("%s\n", commands[i].name);
			exit(0);
		}
	}
	again();
	return (config);
}

static void
again(void)
{
	opterr = 1;
	optind = 1;
#ifdef HAVE_OPTRESET
	optreset = 1;
#endif
}

enum selftest
selftest_asked(int argc, char *argv[])
{
	enum selftest asked = SELFTEST_NONE;
	int ch;

	opterr = 0;
	while ((ch = getopt_long(argc, argv, shortopts, longopts, NULL)) !=
	    -1) {
		if (ch != OPT_SELFTEST)
			continue;
		if (optarg != NULL && strcmp(optarg, "json") != 0)
			die("--self-test knows the format json, not '%s'",
			    optarg);
		asked = optarg != NULL ? SELFTEST_JSON : SELFTEST_TEXT;
	}
	again();
	return (asked);
}

/* The command line wins over the file, its lists are added to the file's. */
static int
take(int argc, char *argv[], struct conf *conf)
{
	struct rpc *block = NULL, *allow = NULL;
	char **text, err[512];
	int ch, flags = 0;

	while ((ch = getopt_long(argc, argv, shortopts, longopts, NULL)) !=
	    -1) {
		if ((text = text_of(conf, ch)) != NULL) {
			replace(text, optarg == NULL ? PATH_HOOK : optarg);
			continue;
		}
		switch (ch) {
		case 'a':
		case 'b':
			conf->allowset |= ch == 'a';
			if (conf_list(ch == 'a' ? &allow : &block, optarg, 0,
			    err, sizeof(err)) == -1)
				die("option -%c: %s", ch, err);
			break;
		case 'c':
		case OPT_SELFTEST:
			break;
		case 'd':
			conf->daemon = 1;
			break;
		case 'D':
			flags |= DUMPING;
			break;
		case 'n':
			flags |= CHECKING;
			break;
		case 'r':
			conf->retry = 1;
			break;
		case 'v':
			conf->verbose = 1;
			break;
		case OPT_TEST:
			conf->test = 1;
			break;
		case OPT_THAW:
			conf->thaw = 1;
			break;
		default:
			printf("Unknown option, try '%s --help' for more "
			    "information.\n", argv[0]);
			exit(1);
		}
	}
	if (optind < argc)
		die("unexpected argument '%s'", argv[optind]);
	append(&conf->block, block);
	append(&conf->allow, allow);
	return (flags);
}

/* Where the text of such an option goes; only -F may come without one. */
static char **
text_of(struct conf *conf, int ch)
{
	switch (ch) {
	case 'f':
		return (&conf->pidfile);
	case 'F':
		return (&conf->hook);
	case 'l':
		return (&conf->logfile);
	case 'm':
		return (&conf->method);
	case 'p':
		return (&conf->path);
	case 't':
		return (&conf->statedir);
	default:
		return (NULL);
	}
}

static void
append(struct rpc **list, struct rpc *more)
{
	while (*list != NULL)
		list = &(*list)->next;
	*list = more;
}

/*
 * A daemon's working directory is the root.  The channel is open before it
 * goes there, and a socket's path may not grow.
 */
static void
absolute(struct conf *conf)
{
	char **const paths[] = { &conf->file, &conf->logfile, &conf->pidfile,
	    &conf->statedir, &conf->hook };
	char *cwd, *whole;
	size_t i, size;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (*paths[i] == NULL || **paths[i] == '/')
			continue;
		if ((cwd = realpath(".", NULL)) == NULL)
			fatal("working directory");
		size = strlen(cwd) + strlen(*paths[i]) + 2;
		if ((whole = malloc(size)) == NULL)
			fatal("malloc");
		snprintf(whole, size, "%s/%s", cwd, *paths[i]);
		free(*paths[i]);
		*paths[i] = whole;
		free(cwd);
	}
}

/* One file only: that of -c, else QGA_CONF, else ours, else qemu-ga's. */
static void
load(struct conf *conf, const char *config)
{
	const char *candidates[4], *why;
	char *text, err[1024];
	size_t i;
	int must;

	candidates[0] = config;
	candidates[1] = getenv("QGA_CONF");
	candidates[2] = PATH_CONF;
	candidates[3] = PATH_QEMU_CONF;
	for (i = 0; i < 4; i++) {
		if (candidates[i] == NULL)
			continue;
		must = i == 0;
		if ((text = conf_read(candidates[i], &why)) == NULL) {
			/*
			 * Only -c must be there.  QGA_CONF names the file
			 * all the same: nothing else is looked for.
			 */
			if (errno != ENOENT || must)
				die("error loading configuration from path: "
				    "%s: %s", candidates[i], why);
			if (i == 1)
				return;
			continue;
		}
		if (conf_parse(conf, candidates[i], text, err, sizeof(err)) ==
		    -1)
			die("error loading configuration from path: %s", err);
		free(text);
		replace(&conf->file, candidates[i]);
		return;
	}
}

/* Defaults for what neither file nor command line said, and the checks. */
static void
settle(struct conf *conf)
{
	int i;

	if (conf->method == NULL)
		replace(&conf->method, "virtio-serial");
	for (i = 0; i < METHOD_MAX; i++)
		if (strcmp(conf->method, methods[i].name) == 0)
			break;
	if (i == METHOD_MAX)
		die("unsupported channel method/type: %s", conf->method);
	conf->methodno = (enum method)i;
	if (conf->path == NULL && methods[i].path != NULL)
		replace(&conf->path, methods[i].path);
	/* A socket handed over needs none: channel_open() looks closer. */
	if (conf->path == NULL && getenv("LISTEN_FDS") == NULL)
		die("must specify a path for this channel");
	if (conf->statedir == NULL)
		replace(&conf->statedir, PATH_STATEDIR);
	if (conf->pidfile == NULL)
		replace(&conf->pidfile, PATH_STATEDIR "/qgad.pid");
	if (conf->methodno == METHOD_STDIO && !conf->test)
		die("method stdio is for --test");
	if (conf->methodno == METHOD_STDIO && conf->daemon)
		die("method stdio cannot be daemonized");
}

/* What only a start may look up. */
static void
look_up(const struct conf *conf)
{
	char err[512];

	if (rules_users(&conf->rules, conf->file, err, sizeof(err)) == -1)
		die("error loading configuration from path: %s", err);
}

static void
replace(char **where, const char *text)
{
	char *copy;

	/* NULL: an option without the argument that getopt(3) demands. */
	if (text == NULL || (copy = strdup(text)) == NULL)
		fatal("strdup");
	free(*where);
	*where = copy;
}

static void
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "qgad: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

static void
dump(const struct conf *conf)
{
	const struct {
		const char *name, *value;
	} strings[] = {
		{ "method", conf->method },
		{ "path", conf->path },
		{ "logfile", conf->logfile },
		{ "pidfile", conf->pidfile },
		{ "fsfreeze-hook", conf->hook },
		{ "statedir", conf->statedir },
	};
	size_t i;

	printf("[general]\ndaemon=%s\n", conf->daemon ? "true" : "false");
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (strings[i].value != NULL) {
			printf("%s=", strings[i].name);
			conf_escaped(strings[i].value, 0);
			printf("\n");
		}
	printf("verbose=%s\n", conf->verbose ? "true" : "false");
	printf("retry-path=%s\n", conf->retry ? "true" : "false");
	dump_list("block-rpcs", conf->block);
	if (conf->allowset)
		dump_list("allow-rpcs", conf->allow);
	printf("profile=%s\n", profile_name(conf->profile));
	conf_dump(conf);
}

static void
dump_list(const char *key, const struct rpc *list)
{
	const struct rpc *rpc;

	printf("%s=", key);
	for (rpc = list; rpc != NULL; rpc = rpc->next)
		printf("%s%s", rpc == list ? "" : ",", rpc->name);
	printf("\n");
}

static void
list_commands(void)
{
	const struct command *c;
	uint32_t bit;
	int i;

	printf("%-32s %-9s %-5s %-7s %s\n", "command", "class", "root",
	    "frozen", "profiles");
	for (i = 0; i < CMD_MAX; i++) {
		if (!command_here((enum command_id)i))
			continue;
		c = &commands[i];
		printf("%-32s %-9s %-5s %-7s", c->name,
		    command_class_name(c->class),
		    c->flags & CMD_ROOT ? "yes" : "no",
		    c->flags & CMD_THAWING ? "passes" : "refused");
		for (bit = PROFILE_AUDIT; bit <= PROFILE_FULL; bit <<= 1)
			if (c->profiles & bit)
				printf(" %s", profile_name(bit));
		printf("\n");
	}
}

static void
usage(const char *name)
{
	printf("usage: %s [-dDhnrvV] [-a list] [-b list] [-c file] "
	    "[-F[path]] [-f pidfile]\n"
	    "            [-l logfile] [-m method] [-p path] [-t statedir] "
	    "[--test] [--thaw]\n"
	    "       %s --list-commands\n"
	    "       %s --self-test[=json] [options]\n\n"
	    "  -m, --method         virtio-serial (default), isa-serial, "
	    "unix-listen,\n"
	    "                       vsock-listen; stdio with --test\n"
	    "  -p, --path           device or socket; vsock as <cid>:<port>\n"
	    "                       (default for virtio-serial: %s,\n"
	    "                       for isa-serial: %s)\n"
	    "  -l, --logfile        log there; default is standard error, "
	    "syslog with -d\n"
	    "  -f, --pidfile        with -d; default is %s/qgad.pid\n"
	    "  -F, --fsfreeze-hook  script or directory run around a freeze, "
	    "no space\n"
	    "                       before it (default: %s)\n"
	    "  -t, --statedir       state is kept there; default is %s\n"
	    "  -v, --verbose        log debugging information\n"
	    "  -V, --version        print the version and exit\n"
	    "  -d, --daemonize      become a daemon\n"
	    "  -b, --block-rpcs     commands to disable, separated by commas; "
	    "'help' lists all\n"
	    "  -a, --allow-rpcs     the only commands to enable\n"
	    "  -c, --config         configuration file (default: %s)\n"
	    "  -D, --dump-conf      print the configuration in force and exit\n"
	    "  -n                   check the configuration and exit\n"
	    "  -r, --retry-path     wait for a device that is not there yet\n"
	    "  -h, --help           print this and exit\n"
	    "  --thaw               thaw what a killed qgad left frozen, and "
	    "exit\n"
	    "  --test               run without root; for trying it out\n"
	    "  --list-commands      print the table of commands and exit\n"
	    "  --self-test[=json]   look whether all is as it should be and "
	    "say so\n",
	    name, name, name, PATH_VIRTIO, PATH_ISA, PATH_STATEDIR, PATH_HOOK,
	    PATH_STATEDIR, PATH_CONF);
}
