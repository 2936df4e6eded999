#include "view/formatters.h"
bool chart_bars(struct format *f) { (void)f; return true; }
bool chart_timeline(struct format *f) { (void)f; return true; }
bool chart_ranked(struct format *f) { (void)f; return true; }
