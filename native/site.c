#include "site.h"

#include "pycompat.h"

/* Writes `text` (a str, borrowed) as UTF-8 into `out`, cut at `capacity` bytes with its final NUL, never
 * within a character. PyUnicode_AsUTF8 would allocate and keep the result on the object. */
static void copy_text_nopy(PyObject *text, char *out, size_t capacity)
{
    size_t used = 0;
    if (text != NULL && PyUnicode_Check(text)) {
        int kind = PyUnicode_KIND(text);
        const void *data = PyUnicode_DATA(text);
        Py_ssize_t length = PyUnicode_GET_LENGTH(text);
        for (Py_ssize_t i = 0; i < length; i++) {
            Py_UCS4 c = PyUnicode_READ(kind, data, i);
            if (c < 0x80 && used + 1 < capacity) {
                out[used++] = (char)c;
            } else if (c >= 0x80 && c < 0x800 && used + 2 < capacity) {
                out[used++] = (char)(0xC0 | c >> 6);
                out[used++] = (char)(0x80 | (c & 0x3F));
            } else if (c >= 0x800 && c < 0x10000 && used + 3 < capacity) {
                out[used++] = (char)(0xE0 | c >> 12);
                out[used++] = (char)(0x80 | (c >> 6 & 0x3F));
                out[used++] = (char)(0x80 | (c & 0x3F));
            } else if (c >= 0x10000 && used + 4 < capacity) {
                out[used++] = (char)(0xF0 | c >> 18);
                out[used++] = (char)(0x80 | (c >> 12 & 0x3F));
                out[used++] = (char)(0x80 | (c >> 6 & 0x3F));
                out[used++] = (char)(0x80 | (c & 0x3F));
            } else {
                break;
            }
        }
    }
    out[used] = '\0';
}

void site_here_nopy(Site *site)
{
    site->file[0] = site->function[0] = '\0';
    site->line = 0;
    PyThreadState *tstate = thread_state_nopy();
    int instruction;
    PyCodeObject *code = tstate != NULL ? innermost_code_nopy(tstate, &instruction) : NULL;
    if (code != NULL) {
        copy_text_nopy(code->co_filename, site->file, sizeof site->file);
        copy_text_nopy(code->co_qualname, site->function, sizeof site->function);
        site->line = PyCode_Addr2Line(code, instruction);
    }
}
