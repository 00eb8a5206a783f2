/*
 * A small tracer that has programs make their calls in the gate: tracer REPORT PROGRAM ARGUMENT...
 *
 * It watches the calls of GATED by a seccomp filter, as the engine does. At the first one of an image
 * it puts the gate and a page of slots into the program; at each one it plans the site, patches it,
 * and lets the call go on. Afterwards the thread makes its calls in the gate, in mode PASS. At each
 * signal it moves the thread out of the gate.
 *
 * With TOGGLE in the environment it takes the sites with a pad back and patches them again, in turn,
 * at each signal, while the other threads run.
 *
 * A program may ask for a signal at a certain instruction, by a call of number STEP with an address
 * that it will come to, how many instructions later, the address of a uint32_t, where the call is
 * done, and whether the gate is to have the trampoline make the call after all. The uint32_t becomes
 * 1 if there are that many instructions until then.
 *
 * REPORT gets what was done, as JSON; the status is that of the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/layout.h"
#include "gate/module.h"
#include "gate/patch.h"
#include "gate/relocate.h"
#include "gate/sites.h"

enum {
    TASKS = 256,
    SPACES = 256,
    MODULES = 16,
    PATCHES = 1024,
    SLOTS = 128,
    ARENA_BASE = 0x71000000,
    AREA_BYTES = 1 << 16, /* of trampolines, where the file has no room */
    AREA_STEP = 1 << 24,
    SYSCALL_STOP = SIGTRAP | 0x80,
    SECCOMP_STOP = SIGTRAP | PTRACE_EVENT_SECCOMP << 8,
    STEP = 0x1234, /* no call has this number */
    STEPS_LIMIT = 10000,
    TRAP_FLAG = 0x100,
};

static const int GATED[] = {
    SYS_read,    SYS_write,  SYS_close,      SYS_fstat, SYS_lseek,  SYS_pread64,
    SYS_getppid, SYS_openat, SYS_newfstatat, SYS_readv, SYS_writev, SYS_open,
};
enum { GATED_COUNT = sizeof GATED / sizeof *GATED };

struct file {
    char path[512];
    uint8_t *bytes;
    struct module module;
    struct sites sites;
    struct span slack; /* what is left of it, in the file */
    struct plan {
        uint64_t site;
        struct site_plan plan;
    } plans[PATCHES]; /* for all images: each takes a pad once */
    int plan_count;
};

/* An address space, as tasks share it. */
struct space {
    bool used, has_gate, refuses;
    int tasks;
    bool slot_used[SLOTS];
    uint64_t sites[PATCHES]; /* that were planned, whatever became of them */
    int site_count;
    struct patch patches[PATCHES];
    int patch_count;
    bool is_off;   /* sites with a pad are as they were */
    uint64_t area; /* the next trampoline in memory of ours; 0: none yet */
    uint64_t area_end;
};

struct task {
    pid_t tid;
    struct space *space;
    int slot; /* -1: none */
};

static struct task tasks[TASKS];
static struct space spaces[SPACES];
static struct file files[MODULES];
static struct {
    uint64_t stops, pads, moved, refused, made, relocated, toggled;
} report;

static void fail(const char *what)
{
    fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
    exit(99);
}

/* -- tasks and spaces ------------------------------------------------------------------------- */

static struct task *find_task(pid_t tid)
{
    for (int i = 0; i < TASKS; i++)
        if (tasks[i].tid == tid)
            return &tasks[i];
    return NULL;
}

static struct task *add_task(pid_t tid)
{
    struct task *task = find_task(0);

    if (!task)
        fail("too many tasks");
    *task = (struct task){ .tid = tid, .slot = -1 };
    return task;
}

static struct space *add_space(const struct space *like)
{
    for (int i = 0; i < SPACES; i++)
        if (!spaces[i].used) {
            spaces[i] = like ? *like : (struct space){ 0 };
            spaces[i].used = true;
            spaces[i].tasks = 0;
            return &spaces[i];
        }
    fail("too many spaces");
    return NULL;
}

static void enter_space(struct task *task, struct space *space)
{
    if (task->space && task->slot >= 0)
        task->space->slot_used[task->slot] = false;
    if (task->space && !--task->space->tasks)
        task->space->used = false;
    task->slot = -1;
    task->space = space;
    if (space)
        space->tasks++;
}

/* -- memory and registers --------------------------------------------------------------------- */

static void get_regs(pid_t tid, struct user_regs_struct *regs)
{
    if (ptrace(PTRACE_GETREGS, tid, 0, regs))
        fail("PTRACE_GETREGS");
}

static void set_regs(pid_t tid, struct user_regs_struct *regs)
{
    if (ptrace(PTRACE_SETREGS, tid, 0, regs))
        fail("PTRACE_SETREGS");
}

static bool transfer(pid_t tid, uint64_t at, void *bytes, size_t size, bool writes)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/mem", tid);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ssize_t done = writes ? pwrite(fd, bytes, size, (off_t)at) : pread(fd, bytes, size, (off_t)at);
    close(fd);
    return done == (ssize_t)size;
}

static void write_memory(pid_t tid, uint64_t at, const void *bytes, size_t size)
{
    if (!transfer(tid, at, (void *)bytes, size, true))
        fail("/proc/PID/mem");
}

static void await(pid_t tid, int wanted)
{
    int status;

    if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status) || status >> 8 != wanted)
        fail("an unexpected stop");
}

/* Have a task that stands at a stop of the filter make another call; it comes to that stop again. */
static int64_t mmap_at_stop(pid_t tid, uint64_t at, uint64_t bytes, uint64_t protection)
{
    struct user_regs_struct before, regs;

    get_regs(tid, &before);
    regs = before;
    regs.orig_rax = SYS_mmap;
    regs.rdi = at;
    regs.rsi = bytes;
    regs.rdx = protection;
    regs.r10 = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    regs.r8 = (uint64_t)-1;
    regs.r9 = 0;
    set_regs(tid, &regs);
    ptrace(PTRACE_SYSCALL, tid, 0, 0);
    await(tid, SYSCALL_STOP);
    get_regs(tid, &regs);
    before.rip -= CALL_BYTES;
    before.rax = before.orig_rax;
    before.orig_rax = (uint64_t)-1;
    set_regs(tid, &before);
    ptrace(PTRACE_CONT, tid, 0, 0);
    await(tid, SECCOMP_STOP);
    return (int64_t)regs.rax;
}

/* Signals are held meanwhile, as their stops would come between. SIGKILL is not: it ends the test. */
static int64_t remote_mmap(pid_t tid, uint64_t at, uint64_t bytes, uint64_t protection)
{
    uint64_t mask, all = ~0ull;

    if (ptrace(PTRACE_GETSIGMASK, tid, sizeof mask, &mask) ||
        ptrace(PTRACE_SETSIGMASK, tid, sizeof all, &all))
        fail("PTRACE_SETSIGMASK");
    int64_t result = mmap_at_stop(tid, at, bytes, protection);
    if (ptrace(PTRACE_SETSIGMASK, tid, sizeof mask, &mask))
        fail("PTRACE_SETSIGMASK");
    return result;
}

/* -- the gate and its slots ------------------------------------------------------------------- */

static uint64_t slot_address(int slot)
{
    return ARENA_BASE + (uint64_t)slot * GATE_SLOT_BYTES;
}

static void inject(struct task *task)
{
    uint8_t table[GATE_NUMBERS] = { 0 };
    size_t size = (size_t)(__stop_gate_code - __start_gate_code);

    for (int i = 0; i < GATED_COUNT; i++)
        table[GATED[i]] = GATE_IN;
    table[SYS_open] = GATE_OPEN | GATE_PATH_1;
    table[SYS_openat] = GATE_OPENAT | GATE_PATH_2;
    task->space->refuses = true;
    if (remote_mmap(task->tid, GATE_BASE, GATE_BYTES, PROT_READ | PROT_EXEC) != GATE_BASE ||
        remote_mmap(task->tid, ARENA_BASE, SLOTS * GATE_SLOT_BYTES, PROT_READ | PROT_WRITE) !=
            ARENA_BASE)
        return;
    write_memory(task->tid, GATE_BASE, __start_gate_code, size);
    write_memory(task->tid, GATE_BASE + GATE_CODE_BYTES, table, sizeof table);
    task->space->refuses = false;
    task->space->has_gate = true;
}

static void set_slot(struct task *task, int slot)
{
    struct user_regs_struct regs;

    task->slot = slot;
    get_regs(task->tid, &regs);
    regs.gs_base = slot < 0 ? 0 : slot_address(slot);
    set_regs(task->tid, &regs);
}

static void give_slot(struct task *task)
{
    int slot = 0;

    while (slot < SLOTS && task->space->slot_used[slot])
        slot++;
    if (slot == SLOTS)
        fail("too many slots");
    task->space->slot_used[slot] = true;
    struct gate_slot fresh = {
        .magic = GATE_MAGIC,
        .self = slot_address(slot),
        .stack_top = slot_address(slot) + GATE_SLOT_BYTES,
        .mode = GATE_PASS,
        .may_try = true,
        .is_dirty = true,
    };

    write_memory(task->tid, fresh.self, &fresh, sizeof fresh);
    set_slot(task, slot);
}

static void count_made(const struct task *task)
{
    struct gate_slot slot;

    if (task->slot >= 0 && transfer(task->tid, slot_address(task->slot), &slot, sizeof slot, false))
        report.made += slot.made;
}

/* -- sites ------------------------------------------------------------------------------------ */

static struct file *read_file(const char *path)
{
    struct stat status;
    int i = 0;

    for (; i < MODULES && *files[i].path; i++)
        if (!strcmp(files[i].path, path))
            return &files[i];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (i == MODULES || fd < 0 || fstat(fd, &status))
        return NULL;
    struct file *file = &files[i];
    file->bytes = malloc((size_t)status.st_size);
    if (!file->bytes || read(fd, file->bytes, (size_t)status.st_size) != status.st_size ||
        !module_init(&file->module, file->bytes, (uint64_t)status.st_size))
        return NULL;
    close(fd);
    sites_init(&file->sites, &file->module);
    file->slack = module_slack(&file->module);
    file->slack.start = (file->slack.start + 31) & ~31ull;
    snprintf(file->path, sizeof file->path, "%s", path);
    return file;
}

/* Find the file that is mapped at an address, and what to add to an offset for its address. */
static struct file *file_at(pid_t tid, uint64_t address, uint64_t *base_out)
{
    char path[64], line[1024], name[512];
    struct file *found = NULL;
    uint64_t start, end, offset;

    snprintf(path, sizeof path, "/proc/%d/maps", tid);
    FILE *maps = fopen(path, "r");
    while (maps && !found && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " r-xp %" SCNx64 " %*s %*s %511s", &start, &end,
                   &offset, name) != 4 ||
            address < start || address >= end)
            continue;
        *base_out = start - offset;
        found = read_file(name);
        break;
    }
    if (maps)
        fclose(maps);
    return found;
}

/* Memory for a trampoline: behind the code of the file, or in a mapping of ours near it. */
static uint64_t trampoline_room(struct task *task, struct file *file, uint64_t base)
{
    struct space *space = task->space;

    if (file->slack.start + TRAMPOLINE_ROOM <= file->slack.end) {
        file->slack.start += TRAMPOLINE_ROOM;
        return base + file->slack.start - TRAMPOLINE_ROOM;
    }
    for (uint64_t i = 1; !space->area && i < 64; i++) {
        uint64_t at = ((base + file->module.code.file.start) & ~0xfffull) + i * AREA_STEP;
        if (remote_mmap(task->tid, at, AREA_BYTES, PROT_READ | PROT_EXEC) == (int64_t)at) {
            space->area = at;
            space->area_end = at + AREA_BYTES;
        }
    }
    if (!space->area || space->area + TRAMPOLINE_ROOM > space->area_end)
        return 0;
    space->area += TRAMPOLINE_ROOM;
    return space->area - TRAMPOLINE_ROOM;
}

static struct site_plan plan_site(struct file *file, uint64_t site)
{
    int i = 0;

    while (i < file->plan_count && file->plans[i].site != site)
        i++;
    if (i == PATCHES)
        return (struct site_plan){ 0 };
    if (i == file->plan_count)
        file->plans[file->plan_count++] = (struct plan){ site, sites_plan(&file->sites, site) };
    return file->plans[i].plan;
}

static void write_patch(struct task *task, const struct patch *patch)
{
    pid_t tid = task->tid;
    struct patch_bytes bytes;
    uint8_t moved[MOVED_ROOM];

    task->space->patches[task->space->patch_count++] = *patch;
    if (!transfer(tid, patch->site - patch->moved_bytes, moved, sizeof moved, false) ||
        !patch_encode(patch, moved, &bytes))
        return;
    write_memory(tid, patch->trampoline - MOVED_ROOM, bytes.trampoline, sizeof bytes.trampoline);
    write_memory(tid, patch_jump_at(patch), bytes.jump, sizeof bytes.jump);
    if (patch->form == SITE_PAD)
        write_memory(tid, patch->site, bytes.hop, sizeof bytes.hop);
    *(patch->form == SITE_PAD ? &report.pads : &report.moved) += 1;
}

static bool is_planned(struct space *space, uint64_t site)
{
    for (int i = 0; i < space->site_count; i++)
        if (space->sites[i] == site)
            return true;
    if (space->site_count < PATCHES)
        space->sites[space->site_count++] = site;
    return space->site_count == PATCHES;
}

static void patch_site(struct task *task, uint64_t site)
{
    uint64_t base;

    if (is_planned(task->space, site))
        return;
    struct file *file = file_at(task->tid, site, &base);
    if (!file)
        return;
    struct site_plan plan = plan_site(file, site - base);
    struct patch patch = {
        .form = plan.form, .site = site, .pad = base + plan.pad, .moved_bytes = plan.moved_bytes
    };
    if (plan.form == SITE_TRACED || (patch_needs_stop(&patch) && task->space->tasks > 1)) {
        report.refused++;
        return;
    }
    uint64_t room = trampoline_room(task, file, base);
    if (!room)
        return;
    patch.trampoline = room + MOVED_ROOM;
    write_patch(task, &patch);
}

/* -- signals ---------------------------------------------------------------------------------- */

/* A task without a slot faults where the gate looks for it: have its trampoline make the call. */
static bool on_fault(struct task *task)
{
    struct user_regs_struct regs;
    siginfo_t info;

    get_regs(task->tid, &regs);
    ptrace(PTRACE_GETSIGINFO, task->tid, 0, &info);
    if (regs.rip != gate_address(gate_entry) || info.si_code <= 0)
        return false;
    regs.rip = regs.r11 + TRAMPOLINE_CALL;
    set_regs(task->tid, &regs);
    return true;
}

static const struct patch *find_in_space(void *context, uint64_t address)
{
    struct space *space = context;

    for (int i = 0; i < space->patch_count; i++)
        if (patch_has(&space->patches[i], address))
            return &space->patches[i];
    return NULL;
}

/* Take back all sites where that is safe while threads run, or patch them again. */
static void toggle(struct task *task)
{
    static const uint8_t nothing[MOVED_ROOM];
    struct space *space = task->space;
    struct patch_bytes bytes;

    space->is_off = !space->is_off;
    for (int i = 0; i < space->patch_count; i++) {
        const struct patch *patch = &space->patches[i];
        if (patch_needs_stop(patch) || !patch_encode(patch, nothing, &bytes))
            continue;
        write_memory(task->tid, patch->site, space->is_off ? CALL_CODE : bytes.hop, CALL_BYTES);
        report.toggled++;
    }
}

static void on_signal(struct task *task)
{
    struct user_regs_struct regs;
    union gate_page page;
    bool has_page =
        task->slot >= 0 && transfer(task->tid, slot_address(task->slot), &page, sizeof page, false);

    get_regs(task->tid, &regs);
    if (getenv("TOGGLE"))
        toggle(task);
    enum verdict verdict = relocate(&regs, has_page ? &page : NULL, find_in_space, task->space);
    if (verdict == RELOCATE_LOST)
        fail("a thread is lost in the gate");
    if (verdict == RELOCATE_NOTHING)
        return;
    report.relocated++;
    set_regs(task->tid, &regs);
}

/* Hide the flag by which we step where the last instruction has copied it: a call or pushfq did. */
static void hide_trap_flag(struct task *task, struct user_regs_struct *regs)
{
    uint64_t flags = regs->eflags & ~(uint64_t)TRAP_FLAG;
    uint8_t last[CALL_BYTES];

    if (transfer(task->tid, regs->rip - CALL_BYTES, last, sizeof last, false) &&
        !memcmp(last, CALL_CODE, sizeof last) && regs->r11 == (flags | TRAP_FLAG)) {
        regs->r11 &= ~(uint64_t)TRAP_FLAG;
        set_regs(task->tid, regs);
    }
    if (regs->rip == gate_address(gate_pushed))
        write_memory(task->tid, regs->rsp, &flags, sizeof flags);
}

/* Make one step, through stops of the filter; returns the place. */
static uint64_t single_step(struct task *task)
{
    struct user_regs_struct regs;
    int status;

    do {
        ptrace(PTRACE_SINGLESTEP, task->tid, 0, 0);
        if (waitpid(task->tid, &status, __WALL) < 0 || !WIFSTOPPED(status))
            fail("no step");
    } while (status >> 8 == SECCOMP_STOP);
    if (status >> 8 != SIGTRAP)
        fail("an unexpected stop at a step");
    get_regs(task->tid, &regs);
    hide_trap_flag(task, &regs);
    return regs.rip;
}

/*
 * The kernel takes its own trap flag for the program's behind a popf that is stepped over
 * (enable_single_step in arch/x86/kernel/step.c), and leaves it there.
 */
static void end_stepping(struct task *task)
{
    struct user_regs_struct regs;

    get_regs(task->tid, &regs);
    regs.eflags &= ~(uint64_t)TRAP_FLAG;
    set_regs(task->tid, &regs);
}

static void set_mode(const struct task *task, uint32_t mode)
{
    if (task->slot >= 0)
        write_memory(task->tid, slot_address(task->slot) + offsetof(struct gate_slot, mode), &mode,
                     sizeof mode);
}

/* Have the task run to an address, through stops of the filter. */
static void run_to(struct task *task, uint64_t address)
{
    static const uint8_t BREAKPOINT[] = { 0xcc };
    struct user_regs_struct regs;
    uint8_t code[1];
    int status;

    if (!transfer(task->tid, address, code, sizeof code, false))
        fail("/proc/PID/mem");
    write_memory(task->tid, address, BREAKPOINT, sizeof BREAKPOINT);
    do {
        ptrace(PTRACE_CONT, task->tid, 0, 0);
        if (waitpid(task->tid, &status, __WALL) < 0 || !WIFSTOPPED(status))
            fail("no breakpoint");
    } while (status >> 8 == SECCOMP_STOP);
    get_regs(task->tid, &regs);
    if (status >> 8 != SIGTRAP || regs.rip != address + sizeof BREAKPOINT)
        fail("an unexpected stop before a breakpoint");
    write_memory(task->tid, address, code, sizeof code);
    regs.rip = address;
    set_regs(task->tid, &regs);
}

/*
 * Where each instruction of a call is, as the steps before have found. Each request makes one step more
 * than the last one: what comes before it is run, as a step takes many times as long. Under TOGGLE, the
 * last request's signal has changed the code.
 */
static uint64_t places[STEPS_LIMIT];

static bool came_before(uint64_t number)
{
    for (uint64_t i = 0; i < number; i++)
        if (places[i] == places[number])
            return true;
    return false;
}

/* Run to the last instruction before the one with a number that the call comes to only then. */
static uint64_t run_before(struct task *task, uint64_t number, bool refuses)
{
    uint64_t begun = number && !getenv("TOGGLE") ? number - 1 : 0, saved = 0;

    while (begun && came_before(begun))
        begun--;
    while (saved < begun && places[saved] != gate_address(gate_saved))
        saved++;
    if (refuses && saved && saved < begun) {
        run_to(task, places[saved]);
        set_mode(task, GATE_TRACED);
    }
    if (begun)
        run_to(task, places[begun]);
    return begun;
}

/* Go on by a number of instructions, at most to `behind`; returns the place. */
static uint64_t step_on(struct task *task, uint64_t number, uint64_t behind, bool refuses)
{
    uint64_t begun = run_before(task, number, refuses), at = places[begun];

    for (uint64_t i = begun; i < number && at != behind; i++) {
        if (refuses && at == gate_address(gate_saved))
            set_mode(task, GATE_TRACED);
        at = places[i + 1] = single_step(task);
    }
    set_mode(task, GATE_PASS);
    return at;
}

/* At a call of STEP: go on to that instruction, and send a signal there. */
static void on_step(struct task *task, const struct user_regs_struct *asked)
{
    run_to(task, asked->rdi);
    places[0] = asked->rdi;
    if (asked->rsi >= STEPS_LIMIT)
        fail("too many steps");
    uint64_t at = step_on(task, asked->rsi, asked->r10, asked->r8);
    end_stepping(task);
    if (at == asked->r10)
        return;
    write_memory(task->tid, asked->rdx, &(uint32_t){ 1 }, sizeof(uint32_t));
    syscall(SYS_tgkill, task->tid, task->tid, SIGUSR1);
}

/* -- stops ------------------------------------------------------------------------------------ */

static bool is_gated(uint64_t number)
{
    for (int i = 0; i < GATED_COUNT; i++)
        if ((uint64_t)GATED[i] == number)
            return true;
    return false;
}

static void on_call(struct task *task)
{
    struct user_regs_struct regs;

    get_regs(task->tid, &regs);
    if (regs.orig_rax == STEP) {
        on_step(task, &regs);
        return;
    }
    report.stops++;
    if (!is_gated(regs.orig_rax) || task->space->refuses)
        return;
    if (!task->space->has_gate)
        inject(task);
    if (!task->space->has_gate)
        return;
    if (task->slot < 0)
        give_slot(task);
    patch_site(task, regs.rip - CALL_BYTES);
}

/* -- births ----------------------------------------------------------------------------------- */

/* Of a copied address space only one thread is left. Its slot has counted the parent's calls. */
static void keep_slot(struct task *task, int slot)
{
    memset(task->space->slot_used, 0, sizeof task->space->slot_used);
    task->slot = slot;
    if (slot < 0)
        return;
    task->space->slot_used[slot] = true;
    write_memory(task->tid, slot_address(slot) + offsetof(struct gate_slot, made), &(uint64_t){ 0 },
                 sizeof(uint64_t));
}

/* Wait for the first stop of a child: of a thread that exit_group(2) ended before it ran, its end. */
static void await_birth(pid_t tid)
{
    int status;

    if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status) ||
        (status >> 8 != SIGSTOP && status >> 16 != PTRACE_EVENT_EXIT))
        fail("no first stop");
}

/* A child has a copy of its parent's slot, or, where they share memory, none yet. */
static void on_birth(struct task *parent, bool shares_memory)
{
    unsigned long tid = 0;

    ptrace(PTRACE_GETEVENTMSG, parent->tid, 0, &tid);
    struct task *child = find_task((pid_t)tid);
    if (!child) {
        child = add_task((pid_t)tid);
        await_birth(child->tid);
    }
    enter_space(child, shares_memory ? parent->space : add_space(parent->space));
    if (shares_memory)
        set_slot(child, -1);
    else
        keep_slot(child, parent->slot);
    ptrace(PTRACE_CONT, child->tid, 0, 0);
}

/* Return the signal that the task is resumed with. */
static int on_stop(struct task *task, int signal, int event)
{
    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        on_call(task);
        return 0;
    case PTRACE_EVENT_FORK:
        on_birth(task, false);
        return 0;
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        on_birth(task, true);
        return 0;
    case PTRACE_EVENT_EXEC:
        enter_space(task, add_space(NULL));
        return 0;
    case PTRACE_EVENT_EXIT:
        count_made(task);
        return 0;
    default:
        if (signal == SIGSEGV && on_fault(task))
            return 0;
        on_signal(task);
        return signal;
    }
}

static int run(pid_t first)
{
    int status, result = 0;
    pid_t tid;

    while ((tid = waitpid(-1, &status, __WALL)) > 0) {
        struct task *task = find_task(tid);
        if (!WIFSTOPPED(status)) {
            if (tid == first)
                result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            if (task) {
                enter_space(task, NULL);
                *task = (struct task){ 0 };
            }
        } else if (!task) { /* before the event of its parent */
            add_task(tid);
        } else {
            int signal = on_stop(task, WSTOPSIG(status), status >> 16);
            ptrace(PTRACE_CONT, tid, 0, signal);
        }
    }
    return result;
}

/* -- the start -------------------------------------------------------------------------------- */

/* Stop at the gated calls, unless they come from the one address of the gate. */
static void load_filter(void)
{
    struct sock_filter filter[64];
    unsigned short n = 0;
    uint32_t passes = (uint32_t)gate_address(gate_return);
    size_t ip = offsetof(struct seccomp_data, instruction_pointer);

    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STEP, 0, 1);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    for (int i = 0; i < GATED_COUNT; i++)
        filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)GATED[i],
                                                   (uint8_t)(GATED_COUNT - i), 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)ip);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, passes, 0, 3);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)ip + 4);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog program = { n, filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(98);
}

static pid_t start(char **argv)
{
    pid_t tid = fork();

    if (!tid) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        load_filter();
        execvp(argv[0], argv);
        _exit(97);
    }
    await(tid, SIGSTOP);
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP |
                   PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK |
                   PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
    if (ptrace(PTRACE_SETOPTIONS, tid, 0, options))
        fail("PTRACE_SETOPTIONS");
    enter_space(add_task(tid), add_space(NULL));
    ptrace(PTRACE_CONT, tid, 0, 0);
    return tid;
}

static void write_report(const char *path)
{
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {
        { "stops", report.stops },     { "pads", report.pads }, { "moved", report.moved },
        { "refused", report.refused }, { "made", report.made }, { "relocated", report.relocated },
        { "toggled", report.toggled },
    };
    FILE *file = fopen(path, "w");

    if (!file)
        fail(path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(file, "%s\"%s\": %" PRIu64, i ? ", " : "{", rows[i].name, rows[i].count);
    fprintf(file, "}\n");
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 96;
    int result = run(start(argv + 2));
    write_report(argv[1]);
    return result;
}
