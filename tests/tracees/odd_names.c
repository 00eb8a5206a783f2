/* Names with line ends, quotes, and bytes that are not UTF-8. */
#include "expect.h"

static void visit(const char *name, const char *as_json)
{
    int fd = open(name, O_CREAT | O_WRONLY, 0644);
    MUST(fd >= 0);
    close(fd);
    expect("'source': 'fs.open', 'file': '%s/%s'", start, as_json);
    MUST(unlink(name) == 0);
    expect("'source': 'fs.delete', 'file': '%s/%s'", start, as_json);
}

int main(void)
{
    static char longest[256];

    visit("two\nlines", "two\\nlines");
    visit("caf\xc3\xa9", "caf\\u00e9");
    visit("latin\xe9", "latin\\udce9");
    visit("\xff\xfe\x80", "\\udcff\\udcfe\\udc80");
    visit("esc\033[31m\ttab", "esc\\u001b[31m\\ttab");
    visit("quote\"back\\slash", "quote\\\"back\\\\slash");
    visit(" (deleted)", " (deleted)");
    visit("gone (deleted)", "gone (deleted)");
    memset(longest, 'n', 255);
    visit(longest, longest);
    return 0;
}
