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
 * qgad beside qemu-ga: both on Unix sockets, measured in turns within one
 * run, so that what disturbs the machine disturbs both.  A ratio is the
 * median of the rounds' ratios.  In C, so that the client's own time does
 * not hide the agent's.  Linux (reads /proc).
 *
 * Exit status: 0 measured, whatever the figures; 1 measuring failed, or with
 * -e a target was missed.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents.h"
#include "base.h"
#include "figures.h"
#include "files.h"
#include "queries.h"

static void	 usage(void) __attribute__((noreturn));
static void	 clean_up(void);
static void	 on_signal(int);
static int	 is_wanted(const struct group *, const char *);
static void	 check_names(const char *);
static void	 print_targets(void);
static int	 report(const char *, const char *, int);
static void	 print_csv(const char *, const char *, int);

/* In this order: the crowd's namespaces are not left again. */
static const struct group *const groups[] = {
	&base_group, &files_group, &output_group, &queries_group, &crowd_group
};
#define GROUPS	(sizeof(groups) / sizeof(groups[0]))

static void
usage(void)
{
	size_t i;

	fprintf(stderr, "usage: bench [-eqt] [-c file] [-g groups] "
	    "[-o file] [-r rounds] [-s file]\n             QGAD "
	    "[QEMU-GA]\n"
	    " -c the first with that configuration\n"
	    " -e a missed target is an error      -q quick, rough\n"
	    " -g these groups, with commas        -r rounds (5)\n"
	    " -o each round's figures, as CSV     -s a drawing, as SVG\n"
	    " -t print the targets, measure nothing\ngroups:\n");
	for (i = 0; i < GROUPS; i++)
		fprintf(stderr, " %-9s %s\n", groups[i]->name,
		    groups[i]->title);
	exit(1);
}

static void
clean_up(void)
{
	agents_stop();
	files_clean();
}

/* The agents are not to outlive us; exit(3)'s handlers end them. */
static void
on_signal(int sig)
{
	int i;

	for (i = 0; i < 2; i++)
		if (agents[i].pid > 0)
			kill(agents[i].pid, SIGTERM);
	files_clean();
	_exit(128 + sig);
}

/* list: with commas; NULL: all */
static int
is_wanted(const struct group *g, const char *list)
{
	size_t len = strlen(g->name);
	const char *p;

	if (list == NULL)
		return (1);
	for (p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, g->name, len) == 0 &&
		    (p[len] == ',' || p[len] == '\0'))
			return (1);
	}
	return (0);
}

static void
check_names(const char *list)
{
	size_t i, len;
	const char *p;

	for (p = list; *p != '\0'; p += len + (p[len] == ',')) {
		len = strcspn(p, ",");
		for (i = 0; i < GROUPS; i++)
			if (strlen(groups[i]->name) == len &&
			    strncmp(groups[i]->name, p, len) == 0)
				break;
		if (i == GROUPS)
			usage();
	}
}

static void
print_targets(void)
{
	size_t i;

	for (i = 0; i < GROUPS; i++)
		figures_targets(groups[i]);
}

/* The number of targets missed. */
static int
report(const char *list, const char *csv, int rounds)
{
	size_t i;
	int missed = 0;

	printf("medians of %d rounds\n", rounds);
	for (i = 0; i < GROUPS; i++)
		if (is_wanted(groups[i], list))
			missed += figures_print(groups[i], rounds);
	if (csv != NULL)
		print_csv(csv, list, rounds);
	return (missed);
}

static void
print_csv(const char *path, const char *list, int rounds)
{
	FILE *out;
	size_t i;

	if ((out = fopen(path, "w")) == NULL)
		die("%s: %s", path, strerror(errno));
	fprintf(out, "group,figure,unit,round,%s,%s\n", agents[0].program,
	    agents[1].program);
	for (i = 0; i < GROUPS; i++)
		if (is_wanted(groups[i], list))
			figures_csv(out, groups[i], rounds);
	if (fclose(out) == EOF)
		die("%s: %s", path, strerror(errno));
}

int
main(int argc, char *argv[])
{
	static const struct sizes quick = { 2, 2, 1000, 10000, 100, 30, 2, 1 };
	struct sizes size = { 5, 2, 4000, 40000, 500, 100, 5, 0 };
	const char *conf = NULL, *csv = NULL, *list = NULL, *svg = NULL;
	int ch, missed, rounds = 0, strict = 0;
	size_t i;

	while ((ch = getopt(argc, argv, "c:eg:o:qr:s:t")) != -1)
		switch (ch) {
		case 'c':
			conf = optarg;
			break;
		case 'e':
			strict = 1;
			break;
		case 'g':
			check_names(list = optarg);
			break;
		case 'o':
			csv = optarg;
			break;
		case 'q':
			size = quick;
			break;
		case 'r':
			rounds = atoi(optarg);
			if (rounds < 1 || rounds > MAX_ROUNDS)
				usage();
			break;
		case 's':
			svg = optarg;
			break;
		case 't':
			print_targets();
			return (0);
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 2)
		usage();
	if (rounds > 0)
		size.rounds = rounds;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	atexit(clean_up);
	agent_prepare(&agents[0], argv[0]);
	agent_prepare(&agents[1], argc == 2 ? argv[1] : "/usr/sbin/qemu-ga");
	if (conf != NULL) {
		agents[0].configured = 1;
		snprintf(agents[0].conf, sizeof(agents[0].conf), "%s", conf);
	}
	for (i = 0; i < GROUPS; i++)
		if (is_wanted(groups[i], list))
			groups[i]->run(&size);
	missed = report(list, csv, size.rounds);
	if (svg != NULL && is_wanted(&files_group, list))
		files_draw(svg, size.rounds);
	return (strict && missed > 0);
}
