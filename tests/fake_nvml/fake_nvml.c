/* A libnvidia-ml.so.1 that says what a text file tells it to.
 *
 * It is compiled against NVIDIA's own nvml.h, so that a wrong prototype is a compile error and the real pynvml meets
 * the real layout of every struct. The file is named by FAKE_NVML_SCENARIO and read at each nvmlInit, from
 * which all calls are counted:
 *
 *   init 9                          nvmlInit answers this code
 *   driver 580.95.05
 *   fails_after 40 18               after 40 calls every call of any kind answers this code
 *   error nvmlEventSetCreate 3      the function answers this code, whichever card it is about
 *   hang nvmlDeviceGetPowerUsage 3  the function never returns from its call number 4 on
 *   crash nvmlDeviceGetPowerUsage 3 the same, with a segmentation fault
 *   print nvmlInitWithFlags         the function writes a line to standard output first
 *   card 0 name NVIDIA GeForce RTX 3090
 *   card 0 lost_after 20            after 20 calls about it every call about this card answers 15
 *   card 0 fails_after 20 999       the same with another code
 *   card 0 error nvmlDeviceGetFanSpeed 3
 *   card 0 field_error 82 15        one field of nvmlDeviceGetFieldValues answers this code
 *   card 0 temperature 61 62 63     one value a call; the last one stays
 *   card 0 field_240 7              a field that has no name below
 *   card 0 compute 4242 1073741824  a process and its memory; "na" where the driver does not tell; likewise graphics
 *   card 0 power_limit_file FILE    what nvmlDeviceSetPowerManagementLimit sets stays there, as it does in a driver
 *   card 0 xid 3 79                 the third wait for events finds this one
 *
 * A value that the file does not name is answered with NVML_ERROR_NOT_SUPPORTED.
 * A line "calls FILE" has every call's name appended to that file.
 * With -DOLD_DRIVER the functions that came after 2017 are not exported at all. */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NVML_NO_UNVERSIONED_FUNC_DEFS
#include <nvml.h>

/* pynvml repeats these structs by hand; it agrees on every size below. */
_Static_assert(sizeof(nvmlMemory_t) == 24, "nvmlMemory_t");
_Static_assert(sizeof(nvmlMemory_v2_t) == 40, "nvmlMemory_v2_t");
_Static_assert(sizeof(nvmlPciInfo_t) == 68, "nvmlPciInfo_t");
_Static_assert(sizeof(nvmlFieldValue_t) == 40, "nvmlFieldValue_t");
_Static_assert(sizeof(nvmlTemperature_v1_t) == 12, "nvmlTemperature_v1_t");
_Static_assert(sizeof(nvmlUtilization_t) == 8, "nvmlUtilization_t");
_Static_assert(sizeof(nvmlEventData_t) == 32, "nvmlEventData_t");
_Static_assert(sizeof(nvmlProcessInfo_t) == 24, "nvmlProcessInfo_t");
_Static_assert(sizeof(nvmlFanSpeedInfo_t) == 12, "nvmlFanSpeedInfo_t");

enum { CARDS = 16, RULES = 64, SERIES = 64, WORD = 128 };

typedef struct {
    char name[WORD];
    long long values[SERIES];
    int count, next;
} Value;

typedef struct {
    char function[WORD];
    int code;
} Failure;

typedef struct {
    char kind; /* c or g */
    nvmlProcessInfo_t info;
} Process;

typedef struct {
    long at;
    long long number;
    int is_told;
} Xid;

struct nvmlDevice_st {
    char name[WORD], uuid[WORD], pci[WORD], serial[WORD], vbios[WORD], limit_path[1024];
    long calls, fails_after;
    int fails_with, value_count, failure_count, process_count, xid_count, is_registered;
    Value values[RULES];
    Failure failures[RULES];
    Process processes[RULES];
    Xid xids[RULES];
};

typedef struct {
    char function[WORD];
    char act;
    long after, calls;
} Rule;

static struct nvmlDevice_st cards[CARDS];
static unsigned card_count;
static Rule rules[RULES];
static Failure failures[RULES];
static int rule_count, failure_count, init_code, fails_with;
static long calls, fails_after = -1, waits;
static char driver[WORD], calls_path[1024];

static void add_failure(Failure *list, int *count, const char *words) {
    Failure *failure = &list[*count % RULES];
    if (sscanf(words, "%127s %d", failure->function, &failure->code) == 2) ++*count;
}

static void read_card_line(struct nvmlDevice_st *card, const char *key, char *rest) {
    char word[WORD];
    unsigned pid;
    Xid *xid = &card->xids[card->xid_count % RULES];
    if (!strcmp(key, "name")) {
        snprintf(card->name, WORD, "%s", rest);
    } else if (!strcmp(key, "uuid")) {
        snprintf(card->uuid, WORD, "%s", rest);
    } else if (!strcmp(key, "pci")) {
        snprintf(card->pci, WORD, "%s", rest);
    } else if (!strcmp(key, "serial")) {
        snprintf(card->serial, WORD, "%s", rest);
    } else if (!strcmp(key, "vbios")) {
        snprintf(card->vbios, WORD, "%s", rest);
    } else if (!strcmp(key, "power_limit_file")) {
        snprintf(card->limit_path, sizeof card->limit_path, "%s", rest);
    } else if (!strcmp(key, "lost_after")) {
        card->fails_after = atol(rest), card->fails_with = NVML_ERROR_GPU_IS_LOST;
    } else if (!strcmp(key, "fails_after")) {
        sscanf(rest, "%ld %d", &card->fails_after, &card->fails_with);
    } else if (!strcmp(key, "error") || !strcmp(key, "field_error")) {
        add_failure(card->failures, &card->failure_count, rest); /* a field's number stands for the function */
    } else if (!strcmp(key, "xid")) {
        card->xid_count += sscanf(rest, "%ld %lld", &xid->at, &xid->number) == 2;
    } else if ((!strcmp(key, "compute") || !strcmp(key, "graphics")) && sscanf(rest, "%u %127s", &pid, word) == 2) {
        Process *process = &card->processes[card->process_count++ % RULES];
        process->kind = *key;
        process->info.pid = pid;
        process->info.usedGpuMemory = strcmp(word, "na") ? strtoull(word, NULL, 0) : (unsigned long long)-1;
        process->info.gpuInstanceId = process->info.computeInstanceId = 0xFFFFFFFF;
    } else {
        Value *value = &card->values[card->value_count++ % RULES];
        snprintf(value->name, WORD, "%s", key);
        for (char *one = strtok(rest, " "); one && value->count < SERIES; one = strtok(NULL, " "))
            value->values[value->count++] = *one == '-' ? strtoll(one, NULL, 0) : (long long)strtoull(one, NULL, 0);
    }
}

static void read_line(char *line) {
    char key[WORD];
    int index, used;
    Rule *rule = &rules[rule_count % RULES];
    memset(rule, 0, sizeof *rule);
    if (sscanf(line, "card %d %127s %n", &index, key, &used) == 2 && index >= 0 && index < CARDS) {
        while (card_count <= (unsigned)index) cards[card_count++].fails_after = -1;
        read_card_line(&cards[index], key, line + used);
    } else if (sscanf(line, "hang %127s %ld", rule->function, &rule->after) >= 1) {
        rule->act = 'h', rule_count++;
    } else if (sscanf(line, "crash %127s %ld", rule->function, &rule->after) >= 1) {
        rule->act = 'c', rule_count++;
    } else if (sscanf(line, "print %127s", rule->function) == 1) {
        rule->act = 'p', rule_count++;
    } else if (!strncmp(line, "error ", 6)) {
        add_failure(failures, &failure_count, line + 6);
    } else if (sscanf(line, "fails_after %ld %d", &fails_after, &fails_with) != 2 &&
               sscanf(line, "calls %1023s", calls_path) != 1 && sscanf(line, "init %d", &init_code) != 1) {
        sscanf(line, "driver %127s", driver);
    }
}

static void read_scenario(void) {
    char line[2048];
    const char *path = getenv("FAKE_NVML_SCENARIO");
    FILE *file = path ? fopen(path, "r") : NULL;
    memset(cards, 0, sizeof cards);
    card_count = 0;
    rule_count = failure_count = init_code = 0;
    fails_after = -1;
    calls = waits = 0;
    *calls_path = 0;
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        read_line(line);
    }
    if (file) fclose(file);
}

static int code_of(const Failure *list, int count, const char *function) {
    for (int i = 0; i < count && i < RULES; i++)
        if (!strcmp(list[i].function, function)) return list[i].code;
    return NVML_SUCCESS;
}

static void write_down(const char *function) {
    FILE *file = *calls_path ? fopen(calls_path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%s\n", function);
    fclose(file);
}

/* What any call does first, and the code it answers before anything is looked at. */
static nvmlReturn_t obey(const char *function) {
    write_down(function);
    for (int i = 0; i < rule_count && i < RULES; i++) {
        Rule *rule = &rules[i];
        if (strcmp(rule->function, function) || rule->calls++ < rule->after) continue;
        if (rule->act == 'p') printf("%s speaks\n", function), fflush(stdout);
        if (rule->act == 'c') *(volatile int *)8 = 0;
        while (rule->act == 'h') pause();
    }
    if (fails_after >= 0 && calls++ >= fails_after) return fails_with;
    return code_of(failures, failure_count, function);
}

/* The same for a call about a card. */
static nvmlReturn_t enter(const char *function, nvmlDevice_t card) {
    nvmlReturn_t code = obey(function);
    if (code) return code;
    if (!card) return NVML_ERROR_INVALID_ARGUMENT;
    if (card->fails_after >= 0 && card->calls++ >= card->fails_after) return card->fails_with;
    return code_of(card->failures, card->failure_count, function);
}

static nvmlReturn_t next_value(nvmlDevice_t card, const char *name, long long *answer) {
    for (int i = 0; i < card->value_count && i < RULES; i++) {
        Value *value = &card->values[i];
        if (strcmp(value->name, name) || !value->count) continue;
        *answer = value->values[value->next];
        if (value->next + 1 < value->count) value->next++;
        return NVML_SUCCESS;
    }
    return NVML_ERROR_NOT_SUPPORTED;
}

static nvmlReturn_t number(const char *function, nvmlDevice_t card, const char *name, unsigned int *answer) {
    long long value;
    nvmlReturn_t code = enter(function, card);
    if (!code) code = next_value(card, name, &value);
    if (!code) *answer = (unsigned int)value;
    return code;
}

static nvmlReturn_t wide_number(const char *function, nvmlDevice_t card, const char *name, unsigned long long *answer) {
    long long value;
    nvmlReturn_t code = enter(function, card);
    if (!code) code = next_value(card, name, &value);
    if (!code) *answer = (unsigned long long)value;
    return code;
}

static nvmlReturn_t text(const char *function, nvmlDevice_t card, const char *source, char *answer, unsigned int room) {
    nvmlReturn_t code = enter(function, card);
    if (code) return code;
    if (!*source) return NVML_ERROR_NOT_SUPPORTED;
    if (strlen(source) >= room) return NVML_ERROR_INSUFFICIENT_SIZE;
    strcpy(answer, source);
    return NVML_SUCCESS;
}

static nvmlReturn_t keep_power_limit(struct nvmlDevice_st *card, unsigned int limit) {
    for (int i = 0; i < card->value_count && i < RULES; i++) {
        Value *value = &card->values[i];
        if (strcmp(value->name, "power_limit")) continue;
        value->values[0] = limit, value->count = 1, value->next = 0;
        return NVML_SUCCESS;
    }
    return NVML_ERROR_NOT_SUPPORTED;
}

/* What an earlier process set is still in force: the limit is the driver's and not the library's. */
static void take_up_power_limits(void) {
    for (unsigned int i = 0; i < card_count; i++) {
        unsigned int limit;
        FILE *file = *cards[i].limit_path ? fopen(cards[i].limit_path, "r") : NULL;
        if (file && fscanf(file, "%u", &limit) == 1) keep_power_limit(&cards[i], limit);
        if (file) fclose(file);
    }
}

static nvmlReturn_t start(const char *function) {
    read_scenario();
    take_up_power_limits();
    nvmlReturn_t code = obey(function);
    return code ? code : (nvmlReturn_t)init_code;
}

nvmlReturn_t nvmlInit_v2(void) { return start(__func__); }
nvmlReturn_t nvmlShutdown(void) { return obey(__func__); }

const char *nvmlErrorString(nvmlReturn_t code) {
    (void)code;
    return "fake error";
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *answer, unsigned int room) {
    nvmlReturn_t code = obey(__func__);
    if (code) return code;
    if (!*driver) return NVML_ERROR_NOT_SUPPORTED;
    snprintf(answer, room, "%s", driver);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *answer) {
    *answer = card_count;
    return obey(__func__);
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *answer) {
    if (index >= card_count) return NVML_ERROR_INVALID_ARGUMENT;
    *answer = &cards[index];
    return enter(__func__, *answer);
}

nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t card, unsigned int *answer) {
    *answer = (unsigned int)(card - cards);
    return enter(__func__, card);
}

#define TEXT(function, member) \
    nvmlReturn_t function(nvmlDevice_t card, char *answer, unsigned int room) { \
        return text(__func__, card, card->member, answer, room); \
    }
TEXT(nvmlDeviceGetName, name)
TEXT(nvmlDeviceGetUUID, uuid)
TEXT(nvmlDeviceGetSerial, serial)
TEXT(nvmlDeviceGetVbiosVersion, vbios)

#define NUMBER(function, key) \
    nvmlReturn_t function(nvmlDevice_t card, unsigned int *answer) { return number(__func__, card, key, answer); }
NUMBER(nvmlDeviceGetPowerUsage, "power")
NUMBER(nvmlDeviceGetEnforcedPowerLimit, "power_limit")
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, "power_limit_default")
NUMBER(nvmlDeviceGetFanSpeed, "fan")
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, "pcie_generation")
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, "pcie_width")
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, "pcie_generation_max")
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, "pcie_width_max")
NUMBER(nvmlDeviceGetPcieReplayCounter, "replays")

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t card, unsigned long long *answer) {
    return wide_number(__func__, card, "throttle", answer);
}

/* The same for what NVML counts as an enumeration. */
#define CHOICE(function, type, key) \
    nvmlReturn_t function(nvmlDevice_t card, type *answer) { \
        unsigned int value = 0; \
        nvmlReturn_t code = number(__func__, card, key, &value); \
        *answer = (type)value; \
        return code; \
    }
CHOICE(nvmlDeviceGetBrand, nvmlBrandType_t, "brand")
CHOICE(nvmlDeviceGetVirtualizationMode, nvmlGpuVirtualizationMode_t, "virtualization")
CHOICE(nvmlDeviceGetRetiredPagesPendingStatus, nvmlEnableState_t, "retired_pending")

/* What only other programs ask for: so that they run over this library as they do over the driver's. */
NUMBER(nvmlDeviceGetPowerManagementLimit, "power_limit")
CHOICE(nvmlDeviceGetComputeMode, nvmlComputeMode_t, "compute_mode")
CHOICE(nvmlDeviceGetDisplayActive, nvmlEnableState_t, "display_active")
CHOICE(nvmlDeviceGetPersistenceMode, nvmlEnableState_t, "persistence")
CHOICE(nvmlDeviceGetPerformanceState, nvmlPstates_t, "performance_state")

nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t card, unsigned int *low, unsigned int *high) {
    nvmlReturn_t code = number(__func__, card, "power_limit_min", low);
    long long most = 0;
    if (!code) code = next_value(card, "power_limit_max", &most);
    if (!code) *high = (unsigned int)most;
    return code;
}

nvmlReturn_t nvmlDeviceSetPowerManagementLimit(nvmlDevice_t card, unsigned int limit) {
    nvmlReturn_t code = enter(__func__, card);
    if (!code) code = keep_power_limit(card, limit);
    FILE *file = !code && *card->limit_path ? fopen(card->limit_path, "w") : NULL;
    if (file) fprintf(file, "%u\n", limit), fclose(file);
    return code;
}

#define CODEC(function, key) \
    nvmlReturn_t function(nvmlDevice_t card, unsigned int *answer, unsigned int *period_us) { \
        *period_us = 167000; \
        return number(__func__, card, key, answer); \
    }
CODEC(nvmlDeviceGetEncoderUtilization, "encoder")
CODEC(nvmlDeviceGetDecoderUtilization, "decoder")

static nvmlReturn_t cuda_version(const char *function, int *answer) {
    *answer = 13000;
    return obey(function);
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *answer) { return cuda_version(__func__, answer); }
nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *answer) { return cuda_version(__func__, answer); }

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t card, nvmlPciInfo_t *answer) {
    memset(answer, 0, sizeof *answer);
    answer->pciDeviceId = 0x220410de;
    answer->pciSubSystemId = 0x403b1458;
    return text(__func__, card, card->pci, answer->busId, sizeof answer->busId);
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t card, nvmlMemory_t *answer) {
    long long total = 0, used = 0;
    nvmlReturn_t code = enter(__func__, card);
    if (!code) code = next_value(card, "memory_total", &total);
    if (!code) code = next_value(card, "memory_used", &used);
    if (!code) *answer = (nvmlMemory_t){.total = total, .used = used, .free = total - used};
    return code;
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t card, nvmlTemperatureSensors_t sensor, unsigned int *answer) {
    if (sensor != NVML_TEMPERATURE_GPU) return NVML_ERROR_INVALID_ARGUMENT;
    return number(__func__, card, "temperature", answer);
}

nvmlReturn_t nvmlDeviceGetTemperatureThreshold(nvmlDevice_t card, nvmlTemperatureThresholds_t kind, unsigned int *answer) {
    const char *names[] = {"shutdown", "slowdown", "memory_max", "gpu_max"};
    return number(__func__, card, kind < 4 ? names[kind] : "-", answer);
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t card, nvmlUtilization_t *answer) {
    long long memory = 0;
    nvmlReturn_t code = number(__func__, card, "utilization", &answer->gpu);
    if (!code) code = next_value(card, "utilization_memory", &memory);
    answer->memory = (unsigned int)memory;
    return code;
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t card, nvmlClockType_t kind, unsigned int *answer) {
    const char *name = kind == NVML_CLOCK_SM ? "clock_sm" : kind == NVML_CLOCK_MEM ? "clock_memory" : "-";
    return number(__func__, card, name, answer);
}

nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t card, int *major, int *minor) {
    long long value = 0;
    nvmlReturn_t code = enter(__func__, card);
    if (!code) code = next_value(card, "compute_capability", &value);
    *major = (int)value / 10, *minor = (int)value % 10;
    return code;
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(
    nvmlDevice_t card, nvmlMemoryErrorType_t kind, nvmlEccCounterType_t since, unsigned long long *answer) {
    const char *names[] = {"ecc_corrected_volatile", "ecc_uncorrected_volatile", "ecc_corrected", "ecc_uncorrected"};
    int row = 2 * (since == NVML_AGGREGATE_ECC) + (kind == NVML_MEMORY_ERROR_TYPE_UNCORRECTED);
    return wide_number(__func__, card, names[row], answer);
}

nvmlReturn_t nvmlDeviceGetRetiredPages(
    nvmlDevice_t card, nvmlPageRetirementCause_t cause, unsigned int *count, unsigned long long *pages) {
    int is_sbe = cause == NVML_PAGE_RETIREMENT_CAUSE_MULTIPLE_SINGLE_BIT_ECC_ERRORS;
    unsigned int there = 0, room = *count;
    nvmlReturn_t code = number(__func__, card, is_sbe ? "retired_sbe" : "retired_dbe", &there);
    if (code) return code;
    *count = there;
    if (!pages) return there ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
    if (room < there) return NVML_ERROR_INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < there; i++) pages[i] = 0x1000ull * i;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *answer) {
    *answer = (nvmlEventSet_t)&waits; /* any address that is not null */
    return obey(__func__);
}

nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t card, unsigned long long kinds, nvmlEventSet_t set) {
    nvmlReturn_t code = enter(__func__, card);
    if (!code && !set) code = NVML_ERROR_INVALID_ARGUMENT;
    if (!code && (kinds & nvmlEventTypeXidCriticalError)) card->is_registered = 1;
    return code;
}

static nvmlReturn_t next_event(const char *function, nvmlEventData_t *answer) {
    nvmlReturn_t code = obey(function);
    waits++;
    for (unsigned int i = 0; !code && i < card_count; i++) {
        struct nvmlDevice_st *card = &cards[i];
        for (int at = 0; card->is_registered && at < card->xid_count && at < RULES; at++) {
            Xid *xid = &card->xids[at];
            if (xid->is_told || xid->at > waits) continue;
            xid->is_told = 1;
            memset(answer, 0, sizeof *answer);
            answer->device = card;
            answer->eventType = nvmlEventTypeXidCriticalError;
            answer->eventData = (unsigned long long)xid->number;
            return NVML_SUCCESS;
        }
    }
    return code ? code : NVML_ERROR_TIMEOUT;
}

nvmlReturn_t nvmlEventSetWait(nvmlEventSet_t set, nvmlEventData_t *answer, unsigned int timeout_ms) {
    (void)set, (void)timeout_ms;
    return next_event(__func__, answer);
}

nvmlReturn_t nvmlEventSetFree(nvmlEventSet_t set) {
    (void)set;
    for (unsigned int i = 0; i < card_count; i++) cards[i].is_registered = 0;
    return obey(__func__);
}

#ifndef OLD_DRIVER

nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t *answer, unsigned int timeout_ms) {
    (void)set, (void)timeout_ms;
    return next_event(__func__, answer);
}

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    return start(__func__);
}

static nvmlReturn_t processes(
    const char *function, nvmlDevice_t card, char kind, unsigned int *count, nvmlProcessInfo_t *answers) {
    unsigned int there = 0, room = answers ? *count : 0;
    nvmlReturn_t code = enter(function, card);
    for (int i = 0; !code && i < card->process_count && i < RULES; i++) {
        if (card->processes[i].kind != kind) continue;
        if (there < room) answers[there] = card->processes[i].info;
        there++;
    }
    *count = there;
    return !code && there > room ? NVML_ERROR_INSUFFICIENT_SIZE : code;
}

nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t card, unsigned int *count, nvmlProcessInfo_t *infos) {
    return processes(__func__, card, 'c', count, infos);
}

nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t card, unsigned int *count, nvmlProcessInfo_t *infos) {
    return processes(__func__, card, 'g', count, infos);
}

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t card, nvmlMemory_v2_t *answer) {
    long long total = 0, used = 0;
    nvmlReturn_t code = enter(__func__, card);
    if (answer->version != nvmlMemory_v2) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    if (!code) code = next_value(card, "memory_total", &total);
    if (!code) code = next_value(card, "memory_used", &used);
    if (!code) answer->total = total, answer->used = used, answer->free = total - used, answer->reserved = 0;
    return code;
}

nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t card, nvmlTemperature_t *answer) {
    if (answer->version != nvmlTemperature_v1) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    if (answer->sensorType != NVML_TEMPERATURE_GPU) return NVML_ERROR_INVALID_ARGUMENT;
    unsigned int value = 0;
    nvmlReturn_t code = number(__func__, card, "temperature", &value);
    answer->temperature = (int)value;
    return code;
}

nvmlReturn_t nvmlDeviceGetFanSpeedRPM(nvmlDevice_t card, nvmlFanSpeedInfo_t *answer) {
    if (answer->version != nvmlFanSpeedInfo_v1) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    return number(__func__, card, "fan_rpm", &answer->speed);
}

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t card, unsigned long long *answer) {
    return wide_number(__func__, card, "energy", answer);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t card, unsigned long long *answer) {
    return wide_number(__func__, card, "throttle", answer);
}

nvmlReturn_t nvmlDeviceGetRemappedRows(
    nvmlDevice_t card, unsigned int *corrected, unsigned int *uncorrected, unsigned int *pending, unsigned int *failed) {
    unsigned int *answers[] = {corrected, uncorrected, pending, failed};
    const char *names[] = {"remapped_corrected", "remapped_uncorrected", "remapped_pending", "remapped_failed"};
    nvmlReturn_t code = enter(__func__, card);
    for (int i = 0; !code && i < 4; i++) {
        long long value = 0;
        code = next_value(card, names[i], &value);
        *answers[i] = (unsigned int)value;
    }
    return code;
}

static const struct {
    unsigned int id;
    const char *name;
} FIELDS[] = {
    {NVML_FI_DEV_ECC_SBE_VOL_TOTAL, "ecc_corrected_volatile"},
    {NVML_FI_DEV_ECC_DBE_VOL_TOTAL, "ecc_uncorrected_volatile"},
    {NVML_FI_DEV_ECC_SBE_AGG_TOTAL, "ecc_corrected"},
    {NVML_FI_DEV_ECC_DBE_AGG_TOTAL, "ecc_uncorrected"},
    {NVML_FI_DEV_RETIRED_SBE, "retired_sbe"},
    {NVML_FI_DEV_RETIRED_DBE, "retired_dbe"},
    {NVML_FI_DEV_RETIRED_PENDING, "retired_pending"},
    {NVML_FI_DEV_MEMORY_TEMP, "temperature_memory"},
    {NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION, "energy"},
    {NVML_FI_DEV_PCIE_REPLAY_COUNTER, "replays"},
    {NVML_FI_DEV_REMAPPED_COR, "remapped_corrected"},
    {NVML_FI_DEV_REMAPPED_UNC, "remapped_uncorrected"},
    {NVML_FI_DEV_REMAPPED_PENDING, "remapped_pending"},
    {NVML_FI_DEV_REMAPPED_FAILURE, "remapped_failed"},
    {NVML_FI_DEV_POWER_INSTANT, "power_instant"},
};

static void answer_field(nvmlDevice_t card, nvmlFieldValue_t *answer) {
    char id[16], name[WORD];
    long long value = 0;
    snprintf(id, sizeof id, "%u", answer->fieldId);
    snprintf(name, sizeof name, "field_%u", answer->fieldId);
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        if (FIELDS[i].id == answer->fieldId) snprintf(name, sizeof name, "%s", FIELDS[i].name);
    answer->nvmlReturn = code_of(card->failures, card->failure_count, id);
    if (!answer->nvmlReturn) answer->nvmlReturn = next_value(card, name, &value);
    /* As wide as it must be: pynvml's readers have to look at the type. */
    answer->valueType = value < 0             ? NVML_VALUE_TYPE_SIGNED_INT
                        : value > 0xFFFFFFFFll ? NVML_VALUE_TYPE_UNSIGNED_LONG_LONG
                                               : NVML_VALUE_TYPE_UNSIGNED_INT;
    answer->value.ullVal = (unsigned long long)value;
}

nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t card, int count, nvmlFieldValue_t *answers) {
    nvmlReturn_t code = enter(__func__, card);
    for (int i = 0; !code && i < count; i++) answer_field(card, &answers[i]);
    return code;
}

#endif
