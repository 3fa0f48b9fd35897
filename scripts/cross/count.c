// A plugin of qemu-user that counts the instructions a guest executes: qemu-aarch64 -plugin count.so PROGRAM…
// A guest says where a section ends by getsid(TAG) with a TAG above 900000 (no process has that number here): one line
// "TAG COUNT" on standard error for each, COUNT from the beginning. Exact for a guest that works in one thread at a time.
// What it uses of qemu's interface (version 1) is declared here, so that Debian's qemu-user is all it needs.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#define VISIBLE __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct block;
typedef void (*translated)(plugin_id, struct block*);
typedef void (*called)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                       uint64_t, uint64_t);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, translated);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, called);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct block*, int operation, void* counter, uint64_t step);
extern unsigned long qemu_plugin_tb_n_insns(const struct block*);

VISIBLE int qemu_plugin_version = 1;
enum { add_u64 = 0, getsid_aarch64 = 156, first_tag = 900000 };
static uint64_t count;

static void on_translation(plugin_id id, struct block* block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, add_u64, &count, qemu_plugin_tb_n_insns(block));
}

static void on_call(plugin_id id, unsigned cpu, int64_t number, uint64_t tag, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                    uint64_t f, uint64_t g, uint64_t h) {
  (void)id, (void)cpu, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  if (number == getsid_aarch64 && tag > first_tag) fprintf(stderr, "%" PRIu64 " %" PRIu64 "\n", tag, count);
}

VISIBLE int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_vcpu_syscall_cb(id, on_call);
  return 0;
}
