#ifndef STINT_VIEW_MAIL_TEXT_H
#define STINT_VIEW_MAIL_TEXT_H
/*
 * The text of a mail, read aloud from the markup of our own templates (the list stands in mail_compose.h): paragraphs filled
 * to 72 columns, lists with dashes and numbers, rows of tables as lines, a link behind its words. No parser of foreign HTML:
 * a tag it does not know says nothing, and what came from documents is escaped and so only text.
 */
/* Lines end with '\n'; no blank at a line's end. Below mem. */
char *mail_text(void *mem, const char *html);
#endif
