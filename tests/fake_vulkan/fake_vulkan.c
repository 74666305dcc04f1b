/* A stand-in for the Vulkan loader: it answers what the file in FAKE_VULKAN_SCENARIO says. Compiled against Khronos' own
   header, so a wrong layout or prototype is an error here.

   loader 1.3                  the loader's version; "loader none" lacks vkEnumerateInstanceVersion, as 1.0's does
   instance EXTENSION          an extension of the instance
   without FUNCTION            this one is not there
   fail FUNCTION CODE          this one answers with an error
   count FUNCTION N            this list says that it has N entries
   grows                       the list of devices has one more entry the first time it is filled
   device N KEY VALUE          name, vendor, device, type, api, driver, info, pci d:b:d.f, luid, heap SIZE FLAGS BUDGET USED
   device N extension NAME */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define MOST 8
#define WORDS 128

typedef struct {
    char name[256], driver[256], info[256], extensions[MOST][WORDS];
    unsigned vendor, device, type, api, pci[4], heaps, extension_count;
    unsigned long long luid, heap[MOST][4];
} Card;

static Card cards[MOST];
static char without[MOST][WORDS], failing[MOST][WORDS], counting[MOST][WORDS], instance[MOST][WORDS];
static int codes[MOST];
static unsigned counts[MOST], card_count, without_count, failing_count, counting_count, instance_count, grows;
static unsigned loader_version;
static int live;

static unsigned version_of(const char *words) {
    unsigned major = 0, minor = 0;
    sscanf(words, "%u.%u", &major, &minor);
    return VK_MAKE_API_VERSION(0, major, minor, 0);
}

static void read_card(Card *card, const char *key, char *value) {
    if (!strcmp(key, "name")) snprintf(card->name, sizeof card->name, "%.255s", value);
    if (!strcmp(key, "driver")) snprintf(card->driver, sizeof card->driver, "%.255s", value);
    if (!strcmp(key, "info")) snprintf(card->info, sizeof card->info, "%.255s", value);
    if (!strcmp(key, "vendor")) card->vendor = strtoul(value, NULL, 0);
    if (!strcmp(key, "device")) card->device = strtoul(value, NULL, 0);
    if (!strcmp(key, "type")) card->type = strtoul(value, NULL, 0);
    if (!strcmp(key, "api")) card->api = version_of(value);
    if (!strcmp(key, "luid")) card->luid = strtoull(value, NULL, 0);
    if (!strcmp(key, "pci")) sscanf(value, "%x:%x:%x.%x", card->pci, card->pci + 1, card->pci + 2, card->pci + 3);
    if (!strcmp(key, "extension")) snprintf(card->extensions[card->extension_count++ % MOST], WORDS, "%.127s", value);
    if (!strcmp(key, "heap")) {
        unsigned long long *heap = card->heap[card->heaps++ % MOST];
        sscanf(value, "%llu %llu %llu %llu", heap, heap + 1, heap + 2, heap + 3);
    }
}

static void read_scenario(void) {
    char line[512], what[WORDS], words[512];
    FILE *file = fopen(getenv("FAKE_VULKAN_SCENARIO"), "r");
    memset(cards, 0, sizeof cards);
    card_count = without_count = failing_count = counting_count = instance_count = grows = 0;
    loader_version = VK_API_VERSION_1_3;
    while (file && fgets(line, sizeof line, file)) {
        char key[WORDS] = "", value[512] = "";
        unsigned number = 0;
        line[strcspn(line, "\n")] = 0;
        if (!strcmp(line, "grows")) grows = 1;
        if (sscanf(line, "%127s %511[^\n]", what, words) != 2) continue;
        if (!strcmp(what, "loader")) loader_version = !strcmp(words, "none") ? 0 : version_of(words);
        if (!strcmp(what, "instance")) snprintf(instance[instance_count++ % MOST], WORDS, "%.127s", words);
        if (!strcmp(what, "without")) snprintf(without[without_count++ % MOST], WORDS, "%.127s", words);
        if (!strcmp(what, "fail")) sscanf(words, "%127s %d", failing[failing_count % MOST], &codes[failing_count % MOST]), failing_count++;
        if (!strcmp(what, "count")) sscanf(words, "%127s %u", counting[counting_count % MOST], &counts[counting_count % MOST]), counting_count++;
        if (!strcmp(what, "device") && sscanf(words, "%u %127s %511[^\n]", &number, key, value) == 3 && number < MOST) {
            read_card(&cards[number], key, value);
            if (number >= card_count) card_count = number + 1;
        }
    }
    if (file) fclose(file);
}

static VkResult failure(const char *name) {
    for (unsigned i = 0; i < failing_count; i++)
        if (!strcmp(failing[i], name)) return codes[i];
    return VK_SUCCESS;
}

static unsigned counted(const char *name, unsigned real) {
    for (unsigned i = 0; i < counting_count; i++)
        if (!strcmp(counting[i], name)) return counts[i];
    return real;
}

static VKAPI_ATTR VkResult VKAPI_CALL version(uint32_t *answer) {
    *answer = loader_version;
    return failure("vkEnumerateInstanceVersion");
}

static VkResult extensions(const char *name, char names[][WORDS], unsigned there, uint32_t *count, VkExtensionProperties *into) {
    VkResult wrong = failure(name);
    if (wrong) return wrong;
    if (!into) return *count = counted(name, there), VK_SUCCESS;
    unsigned given = *count < there ? *count : there;
    for (unsigned i = 0; i < given; i++) snprintf(into[i].extensionName, VK_MAX_EXTENSION_NAME_SIZE, "%.127s", names[i]);
    *count = given;
    return given < there ? VK_INCOMPLETE : VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL instance_extensions(const char *layer, uint32_t *count, VkExtensionProperties *into) {
    (void)layer;
    return extensions("vkEnumerateInstanceExtensionProperties", instance, instance_count, count, into);
}

static VKAPI_ATTR VkResult VKAPI_CALL create(const VkInstanceCreateInfo *wanted, const VkAllocationCallbacks *own, VkInstance *made) {
    (void)own;
    VkResult wrong = failure("vkCreateInstance");
    if (wrong) return wrong;
    if (wanted->sType != VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO) return VK_ERROR_INITIALIZATION_FAILED;
    if (wanted->pApplicationInfo->sType != VK_STRUCTURE_TYPE_APPLICATION_INFO) return VK_ERROR_INITIALIZATION_FAILED;
    // A loader of 1.0 must refuse a later version: VkApplicationInfo's own words.
    if (!loader_version && wanted->pApplicationInfo->apiVersion > VK_API_VERSION_1_0) return VK_ERROR_INCOMPATIBLE_DRIVER;
    for (uint32_t i = 0; i < wanted->enabledExtensionCount; i++) {
        int is_there = 0;
        for (unsigned j = 0; j < instance_count; j++) is_there |= !strcmp(instance[j], wanted->ppEnabledExtensionNames[i]);
        if (!is_there) return VK_ERROR_EXTENSION_NOT_PRESENT;
    }
    live++;
    *made = (VkInstance)&live;
    return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL destroy(VkInstance made, const VkAllocationCallbacks *own) {
    (void)own;
    if (made == (VkInstance)&live) live--;
}

static VKAPI_ATTR VkResult VKAPI_CALL devices(VkInstance made, uint32_t *count, VkPhysicalDevice *into) {
    VkResult wrong = failure("vkEnumeratePhysicalDevices");
    if (wrong) return wrong;
    if (made != (VkInstance)&live) return VK_ERROR_INITIALIZATION_FAILED;
    unsigned there = grows ? card_count - 1 : card_count;
    if (!into) return *count = counted("vkEnumeratePhysicalDevices", there), VK_SUCCESS;
    if (grows) there = card_count, grows = 0;
    unsigned given = *count < there ? *count : there;
    for (unsigned i = 0; i < given; i++) into[i] = (VkPhysicalDevice)&cards[i];
    *count = given;
    return given < there ? VK_INCOMPLETE : VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL device_extensions(VkPhysicalDevice device, const char *layer, uint32_t *count, VkExtensionProperties *into) {
    (void)layer;
    Card *card = (Card *)device;
    return extensions("vkEnumerateDeviceExtensionProperties", card->extensions, card->extension_count, count, into);
}

static VKAPI_ATTR void VKAPI_CALL properties(VkPhysicalDevice device, VkPhysicalDeviceProperties *into) {
    Card *card = (Card *)device;
    memset(into, 0xAB, sizeof *into);
    into->apiVersion = card->api;
    into->vendorID = card->vendor;
    into->deviceID = card->device;
    into->deviceType = card->type;
    memcpy(into->deviceName, card->name, sizeof into->deviceName);
}

static VKAPI_ATTR void VKAPI_CALL properties_2(VkPhysicalDevice device, VkPhysicalDeviceProperties2 *into) {
    Card *card = (Card *)device;
    if (into->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2) abort();
    properties(device, &into->properties);
    for (VkBaseOutStructure *part = into->pNext; part; part = part->pNext) {
        if (part->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT) {
            VkPhysicalDevicePCIBusInfoPropertiesEXT *place = (void *)part;
            place->pciDomain = card->pci[0], place->pciBus = card->pci[1];
            place->pciDevice = card->pci[2], place->pciFunction = card->pci[3];
        } else if (part->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES) {
            VkPhysicalDeviceIDProperties *identity = (void *)part;
            memset(identity->deviceUUID, (int)card->vendor & 0xFF, VK_UUID_SIZE);
            identity->deviceLUIDValid = card->luid != 0;
            memcpy(identity->deviceLUID, &card->luid, VK_LUID_SIZE);
        } else if (part->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES) {
            VkPhysicalDeviceDriverProperties *driver = (void *)part;
            memcpy(driver->driverName, card->driver, sizeof driver->driverName);
            memcpy(driver->driverInfo, card->info, sizeof driver->driverInfo);
        } else abort();
    }
}

static VKAPI_ATTR void VKAPI_CALL memory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties *into) {
    Card *card = (Card *)device;
    memset(into, 0, sizeof *into);
    into->memoryHeapCount = card->heaps;
    for (unsigned i = 0; i < card->heaps && i < MOST; i++) {
        into->memoryHeaps[i].size = card->heap[i][0];
        into->memoryHeaps[i].flags = card->heap[i][1];
    }
}

static VKAPI_ATTR void VKAPI_CALL memory_2(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2 *into) {
    Card *card = (Card *)device;
    if (into->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2) abort();
    memory(device, &into->memoryProperties);
    VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget = into->pNext;
    if (!budget) return;
    if (budget->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT || budget->pNext) abort();
    for (unsigned i = 0; i < MOST; i++) budget->heapBudget[i] = card->heap[i][2], budget->heapUsage[i] = card->heap[i][3];
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance made, const char *name) {
    static const struct { const char *name; PFN_vkVoidFunction function; int is_global; } all[] = {
        {"vkEnumerateInstanceVersion", (PFN_vkVoidFunction)version, 1},
        {"vkEnumerateInstanceExtensionProperties", (PFN_vkVoidFunction)instance_extensions, 1},
        {"vkCreateInstance", (PFN_vkVoidFunction)create, 1},
        {"vkDestroyInstance", (PFN_vkVoidFunction)destroy, 0},
        {"vkEnumeratePhysicalDevices", (PFN_vkVoidFunction)devices, 0},
        {"vkEnumerateDeviceExtensionProperties", (PFN_vkVoidFunction)device_extensions, 0},
        {"vkGetPhysicalDeviceProperties", (PFN_vkVoidFunction)properties, 0},
        {"vkGetPhysicalDeviceProperties2", (PFN_vkVoidFunction)properties_2, 0},
        {"vkGetPhysicalDeviceProperties2KHR", (PFN_vkVoidFunction)properties_2, 0},
        {"vkGetPhysicalDeviceMemoryProperties", (PFN_vkVoidFunction)memory, 0},
        {"vkGetPhysicalDeviceMemoryProperties2", (PFN_vkVoidFunction)memory_2, 0},
        {"vkGetPhysicalDeviceMemoryProperties2KHR", (PFN_vkVoidFunction)memory_2, 0},
    };
    if (!made) read_scenario();
    if (!strcmp(name, "vkEnumerateInstanceVersion") && !loader_version) return NULL;
    for (unsigned i = 0; i < without_count; i++)
        if (!strcmp(without[i], name)) return NULL;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, name)) return (made == NULL) == all[i].is_global ? all[i].function : NULL;
    return NULL;
}

/* How many instances were made and not given back. */
int fake_live(void) { return live; }

/* What the calls above have here, so that the compiler holds them against the header's prototypes. */
PFN_vkEnumerateInstanceVersion fake_version = version;
PFN_vkEnumerateInstanceExtensionProperties fake_instance_extensions = instance_extensions;
PFN_vkCreateInstance fake_create = create;
PFN_vkDestroyInstance fake_destroy = destroy;
PFN_vkEnumeratePhysicalDevices fake_devices = devices;
PFN_vkEnumerateDeviceExtensionProperties fake_device_extensions = device_extensions;
PFN_vkGetPhysicalDeviceProperties fake_properties = properties;
PFN_vkGetPhysicalDeviceProperties2 fake_properties_2 = properties_2;
PFN_vkGetPhysicalDeviceMemoryProperties fake_memory = memory;
PFN_vkGetPhysicalDeviceMemoryProperties2 fake_memory_2 = memory_2;
