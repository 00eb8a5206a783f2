/* What the arguments of a call point to, copied by the plan (table/copy_plan.h). */
#ifndef SCOPE_CALL_COPY_MEMORY_H
#define SCOPE_CALL_COPY_MEMORY_H

#include "call/context.h"
#include "call/packed.h"
#include "table/copy_plan.h"

/* A call that is recorded whole, as it was passed. */
struct whole_call {
    const struct abi *abi;
    uint64_t number;  /* without the mark of its ABI */
    uint64_t args[6]; /* bits of the registers that the ABI leaves undefined are 0 */
    uint64_t ip, sp;  /* by these one knows that it is the same when it is restarted */
    uint64_t entered_ns;
    struct packed packed;
};

/*
 * Copy what is due in this phase. All sizes and addresses come from the program: each is checked, and
 * what cannot be read is left out. `result`: at exit, what the call returned.
 */
void copy_memory(const struct copy_plan *plan, const struct caller *caller, struct whole_call *call,
                 enum copy_phase phase, int64_t result);

#endif
