/* Given a question's vector or postings, dot products or sums, each in one pass that holds no lock of Python's.
 *
 * What kb/compute/kernels.py says in numpy, compiled: there stand the meanings, units and errors, and tests hold both to the
 * same numbers. The loops are plain C; the compiler makes a form of each for AVX-512, for AVX2 and for any processor,
 * and the one that fits is chosen when the module is loaded. Rows lie far apart, so that those to come are asked for
 * ahead of their turn.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

enum { AHEAD = 6, LINE = 64, LANES = 16 };

/* A question's vector, rounded as the rows of `codes` are, and these; each row has a scale. */
typedef struct {
    int16_t *question;
    float question_scale;
    const int8_t *codes;
    const float *scales;
    Py_ssize_t rows, width;
} Rounded;

static inline void prefetch(const char *from, const char *end)
{
    for (; from < end; from += LINE)
        PREFETCH(from);
}

static inline float rounded_dot(const Rounded *table, int64_t row)
{
    const int8_t *code = table->codes + row * table->width;
    int32_t sum = 0;
    for (Py_ssize_t column = 0; column < table->width; column++)
        sum += (int32_t)code[column] * (int32_t)table->question[column];
    return (float)sum * table->scales[row] * table->question_scale;
}

FOR_EACH_PROCESSOR
static void all_dots(const Rounded *table, float *dots)
{
    for (int64_t row = 0; row < table->rows; row++)
        dots[row] = rounded_dot(table, row);
}

FOR_EACH_PROCESSOR
static void some_dots(const Rounded *table, const int64_t *rows, Py_ssize_t count, float *dots)
{
    for (Py_ssize_t place = 0; place < count; place++) {
        if (place + AHEAD < count) {
            const char *next = (const char *)(table->codes + rows[place + AHEAD] * table->width);
            prefetch(next, next + table->width);
        }
        dots[place] = rounded_dot(table, rows[place]);
    }
}

FOR_EACH_PROCESSOR
static void run_dots(const Rounded *table, const int64_t *starts, const int64_t *owners,
                     Py_ssize_t count, float *best, int64_t *which)
{
    for (Py_ssize_t place = 0; place < count; place++) {
        if (place + AHEAD < count) {
            int64_t next = owners[place + AHEAD];
            prefetch((const char *)(table->codes + starts[next] * table->width),
                     (const char *)(table->codes + starts[next + 1] * table->width));
        }
        int64_t owner = owners[place];
        if (place && owner == owners[place - 1]) {
            best[place] = best[place - 1];
            which[place] = which[place - 1];
            continue;
        }
        int64_t first = starts[owner], found = first;
        float highest = rounded_dot(table, first);
        for (int64_t row = first + 1; row < starts[owner + 1]; row++) {
            float dot = rounded_dot(table, row);
            if (dot > highest) {
                highest = dot;
                found = row;
            }
        }
        best[place] = highest;
        which[place] = found - first;
    }
}

/* Several sums side by side: the compiler may not reorder a single one. */
FOR_EACH_PROCESSOR
static void float_dots(const float *question, const float *vectors, Py_ssize_t width, const int64_t *rows,
                       Py_ssize_t count, float *dots)
{
    Py_ssize_t whole = width - width % LANES;
    for (Py_ssize_t place = 0; place < count; place++) {
        if (place + AHEAD < count) {
            const float *next = vectors + rows[place + AHEAD] * width;
            prefetch((const char *)next, (const char *)(next + width));
        }
        const float *vector = vectors + rows[place] * width;
        float sums[LANES] = {0}, dot = 0;
        for (Py_ssize_t column = 0; column < whole; column += LANES)
            for (int lane = 0; lane < LANES; lane++)
                sums[lane] += vector[column + lane] * question[column + lane];
        for (Py_ssize_t column = whole; column < width; column++)
            dot += vector[column] * question[column];
        for (int lane = 0; lane < LANES; lane++)
            dot += sums[lane];
        dots[place] = dot;
    }
}

static void add(float *sums, const int32_t *rows, const float *values, Py_ssize_t count)
{
    for (Py_ssize_t place = 0; place < count; place++)
        sums[rows[place]] += values[place];
}

/* Every place is written, and the next one over it where it is not kept: no branch to guess. */
static Py_ssize_t keep(const uint8_t *allowed, const int32_t *rows, const float *impacts, float factor, Py_ssize_t count,
                       int32_t *kept, float *values)
{
    Py_ssize_t found = 0;
    for (Py_ssize_t place = 0; place < count; place++) {
        kept[found] = rows[place];
        values[found] = factor * impacts[place];
        found += allowed[rows[place]] != 0;
    }
    return found;
}

/* What other names of a concept come to in each passage: all of one length. */
typedef struct {
    float *scores, *gain, *worth;
    const float *own;
    int16_t *most;
} Lifted;

static void lift(const Lifted *at, const int32_t *rows, Py_ssize_t count, float scale, int16_t number)
{
    for (Py_ssize_t place = 0; place < count; place++) {
        int32_t row = rows[place];
        float more = scale * at->worth[row] - at->own[row];
        at->worth[row] = 0;
        if (more > at->gain[row]) {
            at->scores[row] += more - at->gain[row];
            at->gain[row] = more;
            at->most[row] = number;
        }
    }
}

/* A question as its distinct words, and which of them follow each other in it. */
typedef struct {
    const uint32_t *words;
    const float *covers;
    Py_ssize_t word_count;
    const int32_t *before, *behind;
    const float *weights;
    Py_ssize_t pair_count;
} Asked;

enum { MOST_WORDS = 1024, SLOTS = 4 * MOST_WORDS, SENTENCE_END = 0 };

/* Which word stands in each slot of a hash table, which pairs end in each word, and in which sentence each was last met.
 * Words are numbered from 1 here, so that 0 is none. */
typedef struct {
    int16_t slots[SLOTS], first_pair[MOST_WORDS + 1], next_pair[MOST_WORDS + 1];
    int64_t met[MOST_WORDS + 1], met_pair[MOST_WORDS + 1];
} Lookup;

static int16_t word_number(const Lookup *lookup, const Asked *asked, uint32_t word)
{
    for (uint32_t slot = word % SLOTS;; slot = (slot + 1) % SLOTS) {
        int16_t number = lookup->slots[slot];
        if (!number || asked->words[number - 1] == word)
            return number;
    }
}

static void prepare(Lookup *lookup, const Asked *asked)
{
    memset(lookup, 0, sizeof *lookup);
    for (Py_ssize_t place = 0; place < asked->word_count; place++) {
        uint32_t slot = asked->words[place] % SLOTS;
        while (lookup->slots[slot])
            slot = (slot + 1) % SLOTS;
        lookup->slots[slot] = (int16_t)(place + 1);
    }
    for (Py_ssize_t place = 0; place < asked->pair_count; place++) {
        int32_t end = asked->behind[place] + 1;
        lookup->next_pair[place + 1] = lookup->first_pair[end];
        lookup->first_pair[end] = (int16_t)(place + 1);
    }
}

static void best_wordings(const Asked *asked, Lookup *lookup, const uint32_t *words, const int64_t *starts,
                          const int64_t *rows, Py_ssize_t count, float *best)
{
    int64_t sentence = 0;
    for (Py_ssize_t place = 0; place < count; place++) {
        if (place + AHEAD < count) {
            int64_t next = rows[place + AHEAD];
            prefetch((const char *)(words + starts[next]), (const char *)(words + starts[next + 1]));
        }
        double highest = 0, cover = 0, pairs = 0;
        int16_t previous = 0;
        sentence++;
        const uint32_t *end = words + starts[rows[place] + 1];
        for (const uint32_t *word = words + starts[rows[place]]; word < end; word++) {
            if (*word == SENTENCE_END) {
                highest = fmax(highest, pairs * cover * cover);
                cover = pairs = 0;
                previous = 0;
                sentence++;
                continue;
            }
            int16_t number = word_number(lookup, asked, *word);
            if (number && lookup->met[number] != sentence) {
                lookup->met[number] = sentence;
                cover += asked->covers[number - 1];
            }
            for (int16_t pair = number && previous ? lookup->first_pair[number] : 0; pair; pair = lookup->next_pair[pair])
                if (asked->before[pair - 1] == previous - 1 && lookup->met_pair[pair] != sentence) {
                    lookup->met_pair[pair] = sentence;
                    pairs += asked->weights[pair - 1];
                }
            previous = number;
        }
        best[place] = (float)fmax(highest, pairs * cover * cover);
    }
}

/* Arguments: numpy's arrays by the buffer protocol, C-contiguous, each of one type. */

typedef struct {
    const char *name, *formats;
    Py_ssize_t bytes;
    int dimensions, writable;
} Wanted;

static const Wanted FLOATS = {"float32", "f", 4, 1, 0}, FLOATS_OUT = {"writable float32", "f", 4, 1, 1},
                    ORDINALS = {"int64", "lq", 8, 1, 0}, ORDINALS_OUT = {"writable int64", "lq", 8, 1, 1},
                    PASSAGES = {"int32", "il", 4, 1, 0}, PASSAGES_OUT = {"writable int32", "il", 4, 1, 1},
                    NUMBERS_OUT = {"writable int16", "h", 2, 1, 1}, MASK = {"bool", "?", 1, 1, 0},
                    HASHES = {"uint32", "IL", 4, 1, 0},
                    INTEGER_ROWS = {"int8 rows", "b", 1, 2, 0}, FLOAT_ROWS = {"float32 rows", "f", 4, 2, 0};

enum { MOST = 9 };

static void release(Py_buffer *held, int count)
{
    while (count--)
        PyBuffer_Release(&held[count]);
}

/* Take hold of all arguments, or of none and raise TypeError. */
static int take(PyObject *const *given, Py_ssize_t count, const Wanted *const *wanted, int expected, Py_buffer *held)
{
    if (count != expected) {
        PyErr_Format(PyExc_TypeError, "%d arrays are needed, not %zd", expected, count);
        return -1;
    }
    for (int place = 0; place < expected; place++) {
        const Wanted *want = wanted[place];
        int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (want->writable ? PyBUF_WRITABLE : 0);
        if (PyObject_GetBuffer(given[place], &held[place], flags)) {
            release(held, place);
            return -1;
        }
        const Py_buffer *got = &held[place];
        if (got->ndim != want->dimensions || got->itemsize != want->bytes || strlen(got->format) != 1 ||
            !strchr(want->formats, *got->format)) {
            PyErr_Format(PyExc_TypeError, "argument %d must be %s", place + 1, want->name);
            release(held, place + 1);
            return -1;
        }
    }
    return 0;
}

static Py_ssize_t length(const Py_buffer *array) { return array->shape[0]; }

static int are_within(const Py_buffer *ordinals, Py_ssize_t end)
{
    const int64_t *values = ordinals->buf;
    for (Py_ssize_t place = 0; place < length(ordinals); place++)
        if (values[place] < 0 || values[place] >= end) {
            PyErr_Format(PyExc_IndexError, "there are %zd rows, not %lld", end, (long long)values[place]);
            return 0;
        }
    return 1;
}

static int fit(int condition)
{
    if (!condition)
        PyErr_SetString(PyExc_ValueError, "the arrays do not fit together");
    return condition;
}

/* The question, codes and scales that the first three arguments are; `done` gives back what it takes. */
static int rounded(const Py_buffer *held, Rounded *table)
{
    const float *question = held[0].buf;
    float largest = 0;
    *table = (Rounded){NULL, 1, held[1].buf, held[2].buf, held[1].shape[0], held[1].shape[1]};
    if (!fit(length(&held[0]) == table->width && length(&held[2]) == table->rows))
        return 0;
    if (!(table->question = PyMem_New(int16_t, table->width))) {
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t column = 0; column < table->width; column++)
        largest = fmaxf(largest, fabsf(question[column]));
    if (largest > 0)
        table->question_scale = (float)(largest / 127.0);
    for (Py_ssize_t column = 0; column < table->width; column++)
        table->question[column] = (int16_t)rintf(question[column] / table->question_scale);
    return 1;
}

static PyObject *done(Py_buffer *held, int count, int16_t *question, int ok)
{
    PyMem_Free(question);
    release(held, count);
    if (!ok)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *dots(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    static const Wanted *const wanted[] = {&FLOATS, &INTEGER_ROWS, &FLOATS, &FLOATS_OUT};
    Py_buffer held[MOST];
    Rounded table;
    if (take(given, count, wanted, 4, held))
        return NULL;
    int ok = rounded(held, &table) && fit(length(&held[3]) == table.rows);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        all_dots(&table, held[3].buf);
        Py_END_ALLOW_THREADS
    }
    return done(held, 4, table.question, ok);
}

static PyObject *dots_of(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    static const Wanted *const wanted[] = {&FLOATS, &INTEGER_ROWS, &FLOATS, &ORDINALS, &FLOATS_OUT};
    Py_buffer held[MOST];
    Rounded table;
    if (take(given, count, wanted, 5, held))
        return NULL;
    int ok = rounded(held, &table) && fit(length(&held[3]) == length(&held[4])) && are_within(&held[3], table.rows);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        some_dots(&table, held[3].buf, length(&held[3]), held[4].buf);
        Py_END_ALLOW_THREADS
    }
    return done(held, 5, table.question, ok);
}

/* Whether each of these owners has rows, and all of them are there. */
static int have_rows(const Py_buffer *starts, const Py_buffer *owners, Py_ssize_t rows)
{
    const int64_t *start = starts->buf, *owner = owners->buf;
    if (!are_within(owners, length(starts) - 1))
        return 0;
    for (Py_ssize_t place = 0; place < length(owners); place++) {
        int64_t first = start[owner[place]], end = start[owner[place] + 1];
        if (!fit(0 <= first && first < end && end <= rows))
            return 0;
    }
    return 1;
}

static PyObject *best_dots(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    static const Wanted *const wanted[] = {&FLOATS,   &INTEGER_ROWS, &FLOATS,      &ORDINALS,
                                           &ORDINALS, &FLOATS_OUT,   &ORDINALS_OUT};
    Py_buffer held[MOST];
    Rounded table;
    if (take(given, count, wanted, 7, held))
        return NULL;
    Py_ssize_t owners = length(&held[4]);
    int ok = rounded(held, &table) && fit(length(&held[5]) == owners && length(&held[6]) == owners) &&
             have_rows(&held[3], &held[4], table.rows);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        run_dots(&table, held[3].buf, held[4].buf, owners, held[5].buf, held[6].buf);
        Py_END_ALLOW_THREADS
    }
    return done(held, 7, table.question, ok);
}

static PyObject *vector_dots_of(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    static const Wanted *const wanted[] = {&FLOATS, &FLOAT_ROWS, &ORDINALS, &FLOATS_OUT};
    Py_buffer held[MOST];
    if (take(given, count, wanted, 4, held))
        return NULL;
    Py_ssize_t width = held[1].shape[1];
    int ok = fit(length(&held[0]) == width && length(&held[2]) == length(&held[3])) &&
             are_within(&held[2], held[1].shape[0]);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        float_dots(held[0].buf, held[1].buf, width, held[2].buf, length(&held[2]), held[3].buf);
        Py_END_ALLOW_THREADS
    }
    return done(held, 4, NULL, ok);
}

static int are_passages(const Py_buffer *passages, Py_ssize_t end)
{
    const int32_t *values = passages->buf;
    int outside = 0;
    for (Py_ssize_t place = 0; place < length(passages); place++)
        outside |= values[place] < 0 || values[place] >= end;
    if (outside)
        PyErr_Format(PyExc_IndexError, "there are %zd passages, and not all of these", end);
    return !outside;
}

static PyObject *add_at(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    static const Wanted *const wanted[] = {&FLOATS_OUT, &PASSAGES, &FLOATS};
    Py_buffer held[MOST];
    if (take(given, count, wanted, 3, held))
        return NULL;
    int ok = fit(length(&held[1]) == length(&held[2])) && are_passages(&held[1], length(&held[0]));
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        add(held[0].buf, held[1].buf, held[2].buf, length(&held[1]));
        Py_END_ALLOW_THREADS
    }
    return done(held, 3, NULL, ok);
}

static PyObject *lift_at(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    static const Wanted *const wanted[] = {&FLOATS_OUT, &FLOATS_OUT, &FLOATS_OUT, &FLOATS, &NUMBERS_OUT, &PASSAGES};
    Py_buffer held[MOST];
    if (count != 8) {
        PyErr_Format(PyExc_TypeError, "8 arguments are needed, not %zd", count);
        return NULL;
    }
    double scale = PyFloat_AsDouble(given[6]);
    long number = PyLong_AsLong(given[7]);
    if (PyErr_Occurred() || take(given, 6, wanted, 6, held))
        return NULL;
    Py_ssize_t size = length(&held[0]);
    int ok = are_passages(&held[5], size);
    for (int place = 1; place < 5; place++)
        ok = ok && fit(length(&held[place]) == size);
    if (ok) {
        Lifted at = {held[0].buf, held[1].buf, held[2].buf, held[3].buf, held[4].buf};
        Py_BEGIN_ALLOW_THREADS
        lift(&at, held[5].buf, length(&held[5]), (float)scale, (int16_t)number);
        Py_END_ALLOW_THREADS
    }
    return done(held, 6, NULL, ok);
}

static PyObject *kept_of(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    static const Wanted *const wanted[] = {&MASK, &PASSAGES, &FLOATS, &PASSAGES_OUT, &FLOATS_OUT};
    Py_buffer held[MOST];
    if (count != 6) {
        PyErr_Format(PyExc_TypeError, "6 arguments are needed, not %zd", count);
        return NULL;
    }
    double factor = PyFloat_AsDouble(given[5]);
    if (PyErr_Occurred() || take(given, 5, wanted, 5, held))
        return NULL;
    Py_ssize_t size = length(&held[1]), found = 0;
    int ok = are_passages(&held[1], length(&held[0]));
    for (int place = 2; place < 5; place++)
        ok = ok && fit(length(&held[place]) == size);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        found = keep(held[0].buf, held[1].buf, held[2].buf, (float)factor, size, held[3].buf, held[4].buf);
        Py_END_ALLOW_THREADS
    }
    release(held, 5);
    return ok ? PyLong_FromSsize_t(found) : NULL;
}

/* Whether these owners have rows or none, and all of them are there. */
static int have_words(const Py_buffer *starts, const Py_buffer *owners, Py_ssize_t words)
{
    const int64_t *start = starts->buf, *owner = owners->buf;
    if (!are_within(owners, length(starts) - 1))
        return 0;
    for (Py_ssize_t place = 0; place < length(owners); place++)
        if (!fit(0 <= start[owner[place]] && start[owner[place]] <= start[owner[place] + 1] &&
                 start[owner[place] + 1] <= words))
            return 0;
    return 1;
}

static PyObject *wordings(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    static const Wanted *const wanted[] = {&HASHES,   &ORDINALS, &ORDINALS, &HASHES,    &FLOATS,
                                           &PASSAGES, &PASSAGES, &FLOATS,   &FLOATS_OUT};
    Py_buffer held[MOST];
    if (take(given, count, wanted, 9, held))
        return NULL;
    Asked asked = {held[3].buf, held[4].buf, length(&held[3]), held[5].buf, held[6].buf, held[7].buf, length(&held[5])};
    Lookup *lookup = NULL;
    int ok = fit(asked.word_count <= MOST_WORDS && asked.pair_count <= MOST_WORDS &&
                 length(&held[4]) == asked.word_count && length(&held[6]) == asked.pair_count &&
                 length(&held[7]) == asked.pair_count && length(&held[8]) == length(&held[2])) &&
             are_passages(&held[5], asked.word_count) && are_passages(&held[6], asked.word_count) &&
             have_words(&held[1], &held[2], length(&held[0]));
    if (ok && !(lookup = PyMem_New(Lookup, 1))) {
        PyErr_NoMemory();
        ok = 0;
    }
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        prepare(lookup, &asked);
        best_wordings(&asked, lookup, held[0].buf, held[1].buf, held[2].buf, length(&held[2]), held[8].buf);
        Py_END_ALLOW_THREADS
    }
    PyMem_Free(lookup);
    return done(held, 9, NULL, ok);
}

static PyMethodDef methods[] = {
    {"dots", (PyCFunction)(void (*)(void))dots, METH_FASTCALL, NULL},
    {"dots_of", (PyCFunction)(void (*)(void))dots_of, METH_FASTCALL, NULL},
    {"best_dots", (PyCFunction)(void (*)(void))best_dots, METH_FASTCALL, NULL},
    {"vector_dots_of", (PyCFunction)(void (*)(void))vector_dots_of, METH_FASTCALL, NULL},
    {"add_at", (PyCFunction)(void (*)(void))add_at, METH_FASTCALL, NULL},
    {"lift_at", (PyCFunction)(void (*)(void))lift_at, METH_FASTCALL, NULL},
    {"wordings", (PyCFunction)(void (*)(void))wordings, METH_FASTCALL, NULL},
    {"kept_of", (PyCFunction)(void (*)(void))kept_of, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
