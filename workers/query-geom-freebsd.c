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
 * FreeBSD: disks as GEOM tells of them in XML, and what devstat(9) counts.
 * No device is opened.
 */

#include <sys/types.h>
#include <sys/devicestat.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query-bsd.h"
#include "query-freebsd.h"
#include "value.h"

#define THINGS_MAX	65536		/* of each kind */
#define XML_DEPTH	16
#define XML_CONFIG	5		/* depth of what a config has */
#define DISK_NAME	256
#define NODE		"/dev/"
#define SECTOR		512		/* of the schema, whatever a disk's is */

enum tag { TAG_OTHER, TAG_MESH, TAG_CLASS, TAG_GEOM, TAG_CONSUMER,
	TAG_PROVIDER, TAG_NAME, TAG_MEDIASIZE, TAG_CONFIG, TAG_IDENT, TAGS };

/* Where in the document we are. */
struct xml {
	enum tag	 open[XML_DEPTH];
	size_t		 depth;
	const char	*class;
	char		*text;		/* behind the last tag */
};

/* From a device down; each provider once. */
struct walk {
	const struct geom *g;
	unsigned char	*seen;
	size_t		*todo, n;
};

static const char *const tags[TAGS] = {
	[TAG_OTHER] = "",
	[TAG_MESH] = "mesh",
	[TAG_CLASS] = "class",
	[TAG_GEOM] = "geom",
	[TAG_CONSUMER] = "consumer",
	[TAG_PROVIDER] = "provider",
	[TAG_NAME] = "name",
	[TAG_MEDIASIZE] = "mediasize",
	[TAG_CONFIG] = "config",
	[TAG_IDENT] = "ident"
};

/* Prefixes of names, and the schema's word for where such a disk hangs. */
static const struct {
	const char	*name, *bustype;
} kinds[] = {
	{ "vtbd", "virtio" }, { "nda", "nvme" }, { "nvd", "nvme" },
	{ "da", "scsi" }, { "mmcsd", "mmc" }, { "sdda", "sd" },
	{ "xbd", "xen" }, { "fd", "fdc" }, { "md", "virtual" },
	{ "zvol/", "virtual" }
};
#define KINDS		(sizeof(kinds) / sizeof(kinds[0]))

static int	 xml_open(struct geom *, struct xml *, const char *);
static void	 xml_close(struct geom *, struct xml *);
static enum tag	 xml_tag(const char *, size_t);
static uint64_t	 xml_number(const char *, const char *);
static void	 unescape(char *);
static void	*more(void *, size_t, size_t *, size_t);
static int	 sorted(struct geom *);
static int	 id_compare(const void *, const void *);
static int	 name_compare(const void *, const void *);
static const struct geom_provider *by_id(const struct geom *, uint64_t);
static const struct geom_provider *by_name(const struct geom *, const char *);
static int	 is_partition(const char *);
static int	 is_listed(const struct geom *, const struct geom_provider *);
static void	 provider_write(struct value_writer *, const struct geom *,
		    const struct geom_provider *);
static void	 walk_to(struct walk *, const struct geom_provider *);
static int	 sysctl_text(const char *, char *, size_t);
static void	 address(struct value_writer *, const char *,
		    const struct geom_provider *);
static void	 place(int64_t [BSD_PCI], const char *);
static void	 stat_write(struct value_writer *, const struct devstat *,
		    const char *, uint64_t, uint64_t);
static uint64_t	 milliseconds(const struct bintime *);
static int	 device(const char *, uint64_t *, uint64_t *);

/* --- kern.geom.confxml --- */

int
geom_read(struct geom *g)
{
	void	*text;
	char	*end;
	size_t	 len;

	memset(g, 0, sizeof(*g));
	if (freebsd_sysctl("kern.geom.confxml", &text, &len) == -1)
		return (-1);
	/* There is room behind it, and what is NUL already is its end. */
	if ((end = memchr(text, '\0', len)) != NULL)
		len = (size_t)(end - (char *)text);
	((char *)text)[len] = '\0';
	return (geom_parse(g, text, len));
}

void
geom_free(struct geom *g)
{
	free(g->provider);
	free(g->consumer);
	free(g->one);
	free(g->byid);
	free(g->byname);
	free(g->text);
	memset(g, 0, sizeof(*g));
}

/*
 * Tags have no attributes but id and ref, and no tag stands beside text in an
 * element, so that what an element's text is begins at the last tag.
 */
int
geom_parse(struct geom *g, char *text, size_t len)
{
	struct xml	 x;
	char		*p = text, *end;
	int		 rv = 0, error;

	memset(g, 0, sizeof(*g));
	memset(&x, 0, sizeof(x));
	g->text = text;
	while (rv == 0 && (p = memchr(p, '<',
	    len - (size_t)(p - text))) != NULL) {
		*p++ = '\0';		/* the end of the text before it */
		if ((end = memchr(p, '>', len - (size_t)(p - text))) ==
		    NULL) {
			errno = EBADMSG;
			rv = -1;
			break;
		}
		*end = '\0';
		if (*p == '/' && x.depth > 0)
			xml_close(g, &x);
		else if (*p == '/') {
			errno = EBADMSG;
			rv = -1;
		} else if (*p != '?' && *p != '!')
			rv = xml_open(g, &x, p);
		x.text = p = end + 1;
	}
	if (rv == 0 && x.depth != 0) {
		errno = EBADMSG;
		rv = -1;
	}
	if (rv == 0)
		rv = sorted(g);
	if (rv == -1) {
		error = errno;
		geom_free(g);
		errno = error;
	}
	return (rv);
}

/* NAME, NAME id="0x.." or NAME ref="0x.."/ */
static int
xml_open(struct geom *g, struct xml *x, const char *s)
{
	struct geom_consumer	*c;
	struct geom_provider	*p;
	struct geom_one		*o;
	enum tag		 t = xml_tag(s, strcspn(s, " /"));
	size_t			 d = x->depth, len = strlen(s);

	if (d == 3 && t == TAG_CONSUMER && g->n > 0) {
		c = more(g->consumer, g->nconsumers, &g->cmax, sizeof(*c));
		if (c == NULL)
			return (-1);
		g->consumer = c;
		c += g->nconsumers++;
		c->provider = 0;
		c->geom = g->n - 1;
		g->one[g->n - 1].nconsumers++;
	} else if (d == 3 && t == TAG_PROVIDER && g->n > 0) {
		p = more(g->provider, g->nproviders, &g->pmax, sizeof(*p));
		if (p == NULL)
			return (-1);
		g->provider = p;
		p += g->nproviders++;
		memset(p, 0, sizeof(*p));
		p->id = xml_number(s, " id=\"");
		p->geom = g->n - 1;
	} else if (d == 2 && t == TAG_GEOM && x->open[1] == TAG_CLASS) {
		if ((o = more(g->one, g->n, &g->max, sizeof(*o))) == NULL)
			return (-1);
		g->one = o;
		o += g->n++;
		o->class = x->class != NULL ? x->class : "";
		o->consumer = g->nconsumers;
		o->nconsumers = 0;
	} else if (d == 1 && t == TAG_CLASS)
		x->class = NULL;
	else if (d == 4 && t == TAG_PROVIDER &&
	    x->open[3] == TAG_CONSUMER && g->nconsumers > 0)
		g->consumer[g->nconsumers - 1].provider =
		    xml_number(s, " ref=\"");
	if (len > 0 && s[len - 1] == '/')
		return (0);
	if (d == XML_DEPTH) {
		errno = EBADMSG;
		return (-1);
	}
	x->open[x->depth++] = t;
	return (0);
}

static void
xml_close(struct geom *g, struct xml *x)
{
	enum tag		 t = x->open[--x->depth];
	struct geom_provider	*p = NULL;
	size_t			 d = x->depth;

	if (d >= 4 && x->open[3] == TAG_PROVIDER && g->nproviders > 0)
		p = &g->provider[g->nproviders - 1];
	if (d == 2 && t == TAG_NAME && x->open[1] == TAG_CLASS) {
		unescape(x->text);
		x->class = x->text;
	} else if (p != NULL && d == 4 && t == TAG_NAME) {
		unescape(x->text);
		p->name = x->text;
	} else if (p != NULL && d == 4 && t == TAG_MEDIASIZE)
		p->size = xml_number(x->text, "");
	else if (p != NULL && d == XML_CONFIG && t == TAG_IDENT &&
	    x->open[4] == TAG_CONFIG) {
		unescape(x->text);
		if (x->text[0] != '\0')
			p->serial = x->text;
	}
}

static enum tag
xml_tag(const char *s, size_t len)
{
	size_t	 i;

	for (i = 1; i < TAGS; i++)
		if (strlen(tags[i]) == len && memcmp(tags[i], s, len) == 0)
			return ((enum tag)i);
	return (TAG_OTHER);
}

/* The number behind that, 0x.. or decimal; 0: there is none. */
static uint64_t
xml_number(const char *s, const char *behind)
{
	uint64_t	 n = 0;
	int		 base = 10;

	if ((s = strstr(s, behind)) == NULL)
		return (0);
	s += strlen(behind);
	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	return (query_number(&s, base, &n) == -1 ? 0 : n);
}

/* In place: &#xHH; is that byte, and there are five by name. */
static void
unescape(char *s)
{
	static const struct {
		const char	*name;
		char		 c;
	} named[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' },
	    { "&quot;", '"' }, { "&apos;", '\'' } };
	const char	*from = s, *p;
	uint64_t	 n;
	size_t		 i;

	while (*from != '\0') {
		p = from + 3;
		if (strncmp(from, "&#x", 3) == 0 &&
		    query_number(&p, 16, &n) == 0 && *p == ';' && n > 0 &&
		    n <= 0xff) {
			*s++ = (char)n;
			from = p + 1;
			continue;
		}
		for (i = 0; i < 5; i++)
			if (strncmp(from, named[i].name,
			    strlen(named[i].name)) == 0)
				break;
		*s++ = i < 5 ? named[i].c : *from;
		from += i < 5 ? strlen(named[i].name) : 1;
	}
	*s = '\0';
}

/* Room for one more behind n. */
static void *
more(void *v, size_t n, size_t *max, size_t size)
{
	size_t	 want;

	if (n < *max)
		return (v);
	if (n >= THINGS_MAX) {
		errno = ERANGE;
		return (NULL);
	}
	want = *max == 0 ? 64 : *max * 2;
	if ((v = realloc(v, want * size)) != NULL)
		*max = want;
	return (v);
}

/* qsort(3) hands nothing on. */
static const struct geom_provider *sorting;

static int
id_compare(const void *a, const void *b)
{
	uint64_t x = sorting[*(const size_t *)a].id;
	uint64_t y = sorting[*(const size_t *)b].id;

	return ((x > y) - (x < y));
}

static int
name_compare(const void *a, const void *b)
{
	const char *x = sorting[*(const size_t *)a].name;
	const char *y = sorting[*(const size_t *)b].name;

	return (strcmp(x, y));
}

static int
sorted(struct geom *g)
{
	size_t	 i;

	if (g->nproviders == 0)
		return (0);
	g->byid = calloc(g->nproviders, sizeof(*g->byid));
	g->byname = calloc(g->nproviders, sizeof(*g->byname));
	if (g->byid == NULL || g->byname == NULL)
		return (-1);
	for (i = 0; i < g->nproviders; i++) {
		g->byid[i] = g->byname[i] = i;
		if (g->provider[i].name == NULL)
			g->provider[i].name = "";
	}
	sorting = g->provider;
	qsort(g->byid, g->nproviders, sizeof(*g->byid), id_compare);
	qsort(g->byname, g->nproviders, sizeof(*g->byname), name_compare);
	return (0);
}

static const struct geom_provider *
by_id(const struct geom *g, uint64_t id)
{
	const struct geom_provider	*p;
	size_t				 low = 0, high = g->nproviders, at;

	while (low < high) {
		at = low + (high - low) / 2;
		p = &g->provider[g->byid[at]];
		if (p->id == id)
			return (p);
		if (p->id < id)
			low = at + 1;
		else
			high = at;
	}
	return (NULL);
}

static const struct geom_provider *
by_name(const struct geom *g, const char *name)
{
	const struct geom_provider	*p;
	size_t				 low = 0, high = g->nproviders, at;
	int				 c;

	while (low < high) {
		at = low + (high - low) / 2;
		p = &g->provider[g->byname[at]];
		if ((c = strcmp(p->name, name)) == 0)
			return (p);
		if (c < 0)
			low = at + 1;
		else
			high = at;
	}
	return (NULL);
}

/* --- guest-get-disks --- */

int
freebsd_disks(struct value_writer *w, char *err, size_t size)
{
	struct geom	 g;

	if (geom_read(&g) == -1)
		return (query_fail(err, size, "kern.geom.confxml"));
	geom_disks_write(w, &g);
	geom_free(&g);
	return (0);
}

void
geom_disks_write(struct value_writer *w, const struct geom *g)
{
	size_t	 i;

	value_array(w, NULL);
	for (i = 0; i < g->nproviders; i++)
		if (is_listed(g, &g->provider[i]))
			provider_write(w, g, &g->provider[i]);
	value_close(w);
}

static int
is_partition(const char *class)
{
	return (strcmp(class, "PART") == 0);
}

/* A label is another name of what is listed; a drive may be empty. */
static int
is_listed(const struct geom *g, const struct geom_provider *p)
{
	size_t	 len = strlen(p->name);

	return (p->size > 0 && len > 0 && len < DISK_NAME &&
	    strcmp(g->one[p->geom].class, "LABEL") != 0);
}

static void
provider_write(struct value_writer *w, const struct geom *g,
    const struct geom_provider *p)
{
	const struct geom_one		*o = &g->one[p->geom];
	const struct geom_provider	*on;
	char				 path[DISK_NAME + sizeof(NODE)];
	size_t				 i;

	(void)snprintf(path, sizeof(path), NODE "%s", p->name);
	value_object(w, NULL);
	value_string(w, "name", path);
	value_bool(w, "partition", is_partition(o->class));
	if (o->nconsumers == 0)
		address(w, "address", p);
	else {
		value_array(w, "dependencies");
		for (i = 0; i < o->nconsumers; i++) {
			on = by_id(g, g->consumer[o->consumer + i].provider);
			if (on == NULL || strlen(on->name) >= DISK_NAME)
				continue;
			(void)snprintf(path, sizeof(path), NODE "%s",
			    on->name);
			value_string(w, NULL, path);
		}
		value_close(w);
	}
	value_close(w);
}

/* --- the disks below a file system --- */

/*
 * What a device is made of, down to what is made of nothing, which is a disk.
 * Each is looked at once, though the text may send us in circles.
 */
void
geom_addresses(struct value_writer *w, const struct bsd_mount *m,
    const void *arg)
{
	const struct geom_provider	*p;
	const struct geom_one		*o;
	struct walk			 k;
	char				 path[sizeof(NODE) + DISK_NAME];
	size_t				 i;

	(void)snprintf(path, sizeof(path), "%.*s", (int)strnlen(m->from,
	    m->frommax), m->from);
	memset(&k, 0, sizeof(k));
	k.g = arg;
	if (strncmp(path, NODE, strlen(NODE)) != 0 ||
	    (p = by_name(k.g, path + strlen(NODE))) == NULL)
		return;
	k.seen = calloc(k.g->nproviders, sizeof(*k.seen));
	k.todo = calloc(k.g->nproviders, sizeof(*k.todo));
	if (k.seen != NULL && k.todo != NULL)
		walk_to(&k, p);
	while (k.n > 0) {
		p = &k.g->provider[k.todo[--k.n]];
		o = &k.g->one[p->geom];
		if (o->nconsumers == 0)
			address(w, NULL, p);
		for (i = 0; i < o->nconsumers; i++)
			walk_to(&k, by_id(k.g,
			    k.g->consumer[o->consumer + i].provider));
	}
	free(k.seen);
	free(k.todo);
}

static void
walk_to(struct walk *k, const struct geom_provider *p)
{
	size_t	 i;

	if (p == NULL)
		return;
	i = (size_t)(p - k->g->provider);
	if (!k->seen[i]) {
		k->seen[i] = 1;
		k->todo[k->n++] = i;
	}
}

static void
address(struct value_writer *w, const char *key,
    const struct geom_provider *p)
{
	struct bsd_disk	 d;
	char		 path[sizeof(NODE) + DISK_NAME];
	size_t		 i, len;

	memset(&d, 0, sizeof(d));
	d.bustype = "unknown";
	for (i = 0; i < KINDS; i++) {
		len = strlen(kinds[i].name);
		if (strncmp(p->name, kinds[i].name, len) == 0 &&
		    (kinds[i].name[len - 1] == '/' ||
		    (p->name[len] >= '0' && p->name[len] <= '9')))
			d.bustype = kinds[i].bustype;
	}
	(void)snprintf(path, sizeof(path), NODE "%s", p->name);
	d.dev = path;
	d.len = strlen(path);
	d.serial = p->serial;
	place(d.pci, p->name);
	bsd_address_write(w, key, &d);
}

/*
 * A virtio disk is numbered as its driver is, whose parent is the function
 * on the bus.  Of the others nothing says which controller they hang on but
 * devices that we may not open.
 */
static void
place(int64_t pci[BSD_PCI], const char *disk)
{
	char		 name[64], text[256];
	const char	*unit;
	uint64_t	 n;
	size_t		 i;

	for (i = 0; i < BSD_PCI; i++)
		pci[i] = -1;
	if (strncmp(disk, "vtbd", 4) != 0)
		return;
	unit = disk + 4;
	if (query_number(&unit, 10, &n) == -1 || *unit != '\0' ||
	    n > UINT32_MAX)
		return;
	(void)snprintf(name, sizeof(name), "dev.vtblk.%u.%%parent",
	    (unsigned int)n);
	if (sysctl_text(name, text, sizeof(text)) == -1)
		return;
	/* "virtio_pci2" */
	i = strcspn(text, "0123456789");
	unit = text + i;
	if (i > 32 || query_number(&unit, 10, &n) == -1 || *unit != '\0' ||
	    n > UINT32_MAX)
		return;
	(void)snprintf(name, sizeof(name), "dev.%.*s.%u.%%location", (int)i,
	    text, (unsigned int)n);
	if (sysctl_text(name, text, sizeof(text)) == 0)
		(void)pci_parse(text, pci);
}

int
pci_parse(const char *s, int64_t pci[BSD_PCI])
{
	uint64_t	 v[BSD_PCI];
	size_t		 i;

	if ((s = strstr(s, "dbsf=pci")) == NULL)
		return (-1);
	s += strlen("dbsf=pci");
	for (i = 0; i < BSD_PCI; i++) {
		if ((i > 0 && *s++ != ':') ||
		    query_number(&s, 10, &v[i]) == -1 || v[i] > UINT32_MAX)
			return (-1);
	}
	for (i = 0; i < BSD_PCI; i++)
		pci[i] = (int64_t)v[i];
	return (0);
}

static int
sysctl_text(const char *name, char *text, size_t size)
{
	void	*buf;
	size_t	 len;

	if (freebsd_sysctl(name, &buf, &len) == -1)
		return (-1);
	(void)snprintf(text, size, "%.*s", (int)(len < size ? len : size),
	    (const char *)buf);
	free(buf);
	return (0);
}

/* --- guest-get-diskstats --- */

int
freebsd_diskstats(struct value_writer *w, char *err, size_t size)
{
	int	 version;
	void	*buf;
	size_t	 len;
	int	 rv;

	if (freebsd_sysctl("kern.devstat.version", &buf, &len) == -1)
		return (query_fail(err, size, "kern.devstat.version"));
	version = 0;
	memcpy(&version, buf, len < sizeof(version) ? len : sizeof(version));
	free(buf);
	if (version != DEVSTAT_VERSION) {
		(void)snprintf(err, size, "devstat version %d instead of %d",
		    version, DEVSTAT_VERSION);
		return (-1);
	}
	if (freebsd_sysctl("kern.devstat.all", &buf, &len) == -1)
		return (query_fail(err, size, "kern.devstat.all"));
	if ((rv = devstat_write(w, buf, len, device)) == -1)
		(void)query_fail(err, size, "kern.devstat.all");
	free(buf);
	return (rv);
}

/* A number that changes with the list, then the list. */
int
devstat_write(struct value_writer *w, const void *bytes, size_t len,
    int (*dev)(const char *, uint64_t *, uint64_t *))
{
	struct devstat	 d;
	const char	*p = bytes;
	char		 name[DEVSTAT_NAME_LEN + 16];
	uint64_t	 maj, min;

	if (len < sizeof(long) || (len - sizeof(long)) % sizeof(d) != 0) {
		errno = EBADMSG;
		return (-1);
	}
	value_array(w, NULL);
	for (len -= sizeof(long), p += sizeof(long); len > 0;
	    len -= sizeof(d), p += sizeof(d)) {
		memcpy(&d, p, sizeof(d));
		/* Another way to a disk that is here by itself. */
		if ((d.device_type & DEVSTAT_TYPE_PASS) != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s%d",
		    (int)sizeof(d.device_name), d.device_name,
		    d.unit_number);
		if (dev(name, &maj, &min) == 0)
			stat_write(w, &d, name, maj, min);
	}
	value_close(w);
	return (0);
}

static void
stat_write(struct value_writer *w, const struct devstat *d, const char *name,
    uint64_t maj, uint64_t min)
{
	value_object(w, NULL);
	value_string(w, "name", name);
	value_uint(w, "major", maj);
	value_uint(w, "minor", min);
	value_object(w, "stats");
	value_uint(w, "read-ios", d->operations[DEVSTAT_READ]);
	value_uint(w, "read-sectors", d->bytes[DEVSTAT_READ] / SECTOR);
	value_uint(w, "read-ticks",
	    milliseconds(&d->duration[DEVSTAT_READ]));
	value_uint(w, "write-ios", d->operations[DEVSTAT_WRITE]);
	value_uint(w, "write-sectors", d->bytes[DEVSTAT_WRITE] / SECTOR);
	value_uint(w, "write-ticks",
	    milliseconds(&d->duration[DEVSTAT_WRITE]));
	value_uint(w, "discard-ios", d->operations[DEVSTAT_FREE]);
	value_uint(w, "discard-sectors", d->bytes[DEVSTAT_FREE] / SECTOR);
	value_uint(w, "discard-ticks",
	    milliseconds(&d->duration[DEVSTAT_FREE]));
	/* Both only grow, until they start again. */
	value_uint(w, "ios-pgr", d->start_count - d->end_count);
	value_uint(w, "total-ticks", milliseconds(&d->busy_time));
	value_close(w);
	value_close(w);
}

/* frac: in 2^-64 s. */
static uint64_t
milliseconds(const struct bintime *b)
{
	if (b->sec < 0)
		return (0);
	return ((uint64_t)b->sec % (UINT64_MAX / 1000) * 1000 +
	    ((b->frac >> 32) * 1000 >> 32));
}

/* It is devfs that is asked, which waits for nobody. */
static int
device(const char *name, uint64_t *maj, uint64_t *min)
{
	char		 path[sizeof(NODE) + DEVSTAT_NAME_LEN + 16];
	struct stat	 st;

	(void)snprintf(path, sizeof(path), NODE "%s", name);
	if (stat(path, &st) == -1 || !S_ISCHR(st.st_mode))
		return (-1);
	*maj = (uint64_t)(unsigned int)major(st.st_rdev);
	*min = (uint64_t)(unsigned int)minor(st.st_rdev);
	return (0);
}
