// The portable variant: vectors of four floats, which is one NEON or SSE register.
#include "kernels.h"

#define LANES 4
#define PANEL_VECTORS 4
#define MAX_ROWS 4
#define VARIANT portable
#include "variant.h"
