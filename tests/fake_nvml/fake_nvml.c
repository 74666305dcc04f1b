/* A libnvidia-ml.so.1 that says what a text file tells it to.
 *
 * It is compiled against NVIDIA's own nvml.h, so that a wrong prototype is a compile error and the real pynvml meets
 * the real layout of every struct. The file is named by FAKE_NVML_SCENARIO and read at each nvmlInit:
 *
 *   init 9                          nvmlInit answers this code
 *   driver 580.95.05
 *   hang nvmlDeviceGetPowerUsage 3  the function never returns from its call number 4 on (counted per process)
 *   crash nvmlDeviceGetPowerUsage 3 the same, with a segmentation fault
 *   print nvmlInitWithFlags         the function writes a line to standard output first
 *   card 0 name NVIDIA GeForce RTX 3090
 *   card 0 lost_after 20            after 20 calls every call about this card answers 15
 *   card 0 error nvmlDeviceGetFanSpeed 3
 *   card 0 temperature 61 62 63     one value a call; the last one stays
 *
 * A value that the file does not name is answered with NVML_ERROR_NOT_SUPPORTED.
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

struct nvmlDevice_st {
    char name[WORD], uuid[WORD], pci[WORD];
    long calls, lost_after;
    Value values[RULES];
    int value_count;
    Failure failures[RULES];
    int failure_count;
};

typedef struct {
    char function[WORD];
    char act;
    long after, calls;
} Rule;

static struct nvmlDevice_st cards[CARDS];
static unsigned card_count;
static Rule rules[RULES];
static int rule_count, init_code;
static char driver[WORD];

static void read_card_line(struct nvmlDevice_st *card, const char *key, char *rest) {
    char function[WORD];
    int code;
    if (!strcmp(key, "name")) {
        snprintf(card->name, WORD, "%s", rest);
    } else if (!strcmp(key, "uuid")) {
        snprintf(card->uuid, WORD, "%s", rest);
    } else if (!strcmp(key, "pci")) {
        snprintf(card->pci, WORD, "%s", rest);
    } else if (!strcmp(key, "lost_after")) {
        card->lost_after = atol(rest);
    } else if (!strcmp(key, "error") && sscanf(rest, "%127s %d", function, &code) == 2) {
        Failure *failure = &card->failures[card->failure_count++ % RULES];
        snprintf(failure->function, WORD, "%s", function);
        failure->code = code;
    } else {
        Value *value = &card->values[card->value_count++ % RULES];
        snprintf(value->name, WORD, "%s", key);
        for (char *word = strtok(rest, " "); word && value->count < SERIES; word = strtok(NULL, " "))
            value->values[value->count++] = strtoll(word, NULL, 0);
    }
}

static void read_scenario(void) {
    char line[2048], key[WORD];
    int index, used;
    const char *path = getenv("FAKE_NVML_SCENARIO");
    FILE *file = path ? fopen(path, "r") : NULL;
    memset(cards, 0, sizeof cards);
    card_count = 0;
    rule_count = init_code = 0;
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        Rule *rule = &rules[rule_count % RULES];
        memset(rule, 0, sizeof *rule);
        if (sscanf(line, "card %d %127s %n", &index, key, &used) == 2 && index >= 0 && index < CARDS) {
            while (card_count <= (unsigned)index) cards[card_count++].lost_after = -1;
            read_card_line(&cards[index], key, line + used);
        } else if (sscanf(line, "hang %127s %ld", rule->function, &rule->after) >= 1) {
            rule->act = 'h', rule_count++;
        } else if (sscanf(line, "crash %127s %ld", rule->function, &rule->after) >= 1) {
            rule->act = 'c', rule_count++;
        } else if (sscanf(line, "print %127s", rule->function) == 1) {
            rule->act = 'p', rule_count++;
        } else if (sscanf(line, "init %d", &index) == 1) {
            init_code = index;
        } else {
            sscanf(line, "driver %127s", driver);
        }
    }
    if (file) fclose(file);
}

static void obey(const char *function) {
    for (int i = 0; i < rule_count && i < RULES; i++) {
        Rule *rule = &rules[i];
        if (strcmp(rule->function, function) || rule->calls++ < rule->after) continue;
        if (rule->act == 'p') printf("%s speaks\n", function), fflush(stdout);
        if (rule->act == 'c') *(volatile int *)8 = 0;
        while (rule->act == 'h') pause();
    }
}

/* What a call about a card answers before any value is looked at. */
static nvmlReturn_t enter(const char *function, nvmlDevice_t card) {
    obey(function);
    if (!card) return NVML_ERROR_INVALID_ARGUMENT;
    if (card->lost_after >= 0 && card->calls++ >= card->lost_after) return NVML_ERROR_GPU_IS_LOST;
    for (int i = 0; i < card->failure_count && i < RULES; i++)
        if (!strcmp(card->failures[i].function, function)) return card->failures[i].code;
    return NVML_SUCCESS;
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

static nvmlReturn_t start(const char *function) {
    read_scenario();
    obey(function);
    return init_code;
}

nvmlReturn_t nvmlInit_v2(void) { return start(__func__); }
nvmlReturn_t nvmlShutdown(void) { return NVML_SUCCESS; }

const char *nvmlErrorString(nvmlReturn_t code) {
    (void)code;
    return "fake error";
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *answer, unsigned int room) {
    obey(__func__);
    if (!*driver) return NVML_ERROR_NOT_SUPPORTED;
    snprintf(answer, room, "%s", driver);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *answer) {
    obey(__func__);
    *answer = card_count;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *answer) {
    if (index >= card_count) return NVML_ERROR_INVALID_ARGUMENT;
    *answer = &cards[index];
    return enter(__func__, *answer);
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t card, char *answer, unsigned int room) {
    return text(__func__, card, card->name, answer, room);
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t card, char *answer, unsigned int room) {
    return text(__func__, card, card->uuid, answer, room);
}

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
    return number(__func__, card, kind == NVML_TEMPERATURE_THRESHOLD_SLOWDOWN ? "slowdown" : "-", answer);
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t card, unsigned int *answer) {
    return number(__func__, card, "power", answer);
}

nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t card, unsigned int *answer) {
    return number(__func__, card, "power_limit", answer);
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t card, nvmlUtilization_t *answer) {
    answer->memory = 0;
    return number(__func__, card, "utilization", &answer->gpu);
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t card, nvmlClockType_t kind, unsigned int *answer) {
    const char *name = kind == NVML_CLOCK_SM ? "clock_sm" : kind == NVML_CLOCK_MEM ? "clock_memory" : "-";
    return number(__func__, card, name, answer);
}

nvmlReturn_t nvmlDeviceGetFanSpeed(nvmlDevice_t card, unsigned int *answer) {
    return number(__func__, card, "fan", answer);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t card, unsigned long long *answer) {
    return wide_number(__func__, card, "throttle", answer);
}

#ifndef OLD_DRIVER

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    return start(__func__);
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

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t card, unsigned long long *answer) {
    return wide_number(__func__, card, "energy", answer);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t card, unsigned long long *answer) {
    return wide_number(__func__, card, "throttle", answer);
}

nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t card, int count, nvmlFieldValue_t *answers) {
    nvmlReturn_t code = enter(__func__, card);
    for (int i = 0; !code && i < count; i++) {
        long long value = 0;
        int is_power = answers[i].fieldId == NVML_FI_DEV_POWER_INSTANT;
        answers[i].nvmlReturn = is_power ? next_value(card, "power_instant", &value) : NVML_ERROR_NOT_SUPPORTED;
        answers[i].valueType = value < 0 ? NVML_VALUE_TYPE_SIGNED_INT : NVML_VALUE_TYPE_UNSIGNED_INT;
        answers[i].value.siVal = (int)value;
    }
    return code;
}

#endif
