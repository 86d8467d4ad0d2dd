/* A Vulkan layer that writes the SPIR-V of every compute pipeline to $KVBENCH_SPIRV_DIR/NNNN.spv, in the order in which
   an application makes them, for another driver's compiler. It changes nothing that it passes on. For drivers
   that can't write their SPIR-V themselves; see spirv_source.ts, which builds it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define NAME(f) #f
#define EXPORT __attribute__((visibility("default")))

typedef struct Module {
  VkShaderModule handle;
  void *code;
  size_t bytes;
  struct Module *next;
} Module;

static PFN_vkGetInstanceProcAddr next_instance_proc;
static PFN_vkGetDeviceProcAddr next_device_proc;
static PFN_vkCreateShaderModule next_create_module;
static PFN_vkDestroyShaderModule next_destroy_module;
static PFN_vkCreateComputePipelines next_create_pipelines;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Module *modules;
static int pipelines;

static VkResult create_module(VkDevice device, const VkShaderModuleCreateInfo *info,
                              const VkAllocationCallbacks *allocator, VkShaderModule *handle) {
  VkResult result = next_create_module(device, info, allocator, handle);
  if (result != VK_SUCCESS) return result;
  Module *module = malloc(sizeof *module);
  void *code = malloc(info->codeSize);
  if (!module || !code) abort();
  memcpy(code, info->pCode, info->codeSize);
  pthread_mutex_lock(&mutex);
  *module = (Module){*handle, code, info->codeSize, modules};
  modules = module;
  pthread_mutex_unlock(&mutex);
  return result;
}

static void destroy_module(VkDevice device, VkShaderModule handle, const VkAllocationCallbacks *allocator) {
  pthread_mutex_lock(&mutex);
  for (Module **at = &modules; *at; at = &(*at)->next) {
    Module *module = *at;
    if (module->handle != handle) continue;
    *at = module->next;
    free(module->code);
    free(module);
    break;
  }
  pthread_mutex_unlock(&mutex);
  next_destroy_module(device, handle, allocator);
}

static void write_module(VkShaderModule handle, const char *folder) {
  Module *module = modules;
  while (module && module->handle != handle) module = module->next;
  if (!module) return;
  char path[4096];
  snprintf(path, sizeof path, "%s/%04d.spv", folder, pipelines++);
  FILE *file = fopen(path, "wb");
  if (!file) return;
  fwrite(module->code, 1, module->bytes, file);
  fclose(file);
}

static VkResult create_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                 const VkComputePipelineCreateInfo *infos,
                                 const VkAllocationCallbacks *allocator, VkPipeline *handles) {
  const char *folder = getenv("KVBENCH_SPIRV_DIR");
  pthread_mutex_lock(&mutex);
  for (uint32_t i = 0; folder && i < count; i++) write_module(infos[i].stage.module, folder);
  pthread_mutex_unlock(&mutex);
  return next_create_pipelines(device, cache, count, infos, allocator, handles);
}

/* Finds the loader's link to the next layer, and moves it on for that one. */
#define LINK(link, type, structure, info)                                                                   \
  type *link = (type *)(info)->pNext;                                                                       \
  while (link && !(link->sType == VK_STRUCTURE_TYPE_##structure && link->function == VK_LAYER_LINK_INFO))   \
    link = (type *)link->pNext;                                                                             \
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;

static VkResult create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator,
                                VkInstance *instance) {
  LINK(link, VkLayerInstanceCreateInfo, LOADER_INSTANCE_CREATE_INFO, info)
  next_instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  return ((PFN_vkCreateInstance)next_instance_proc(NULL, NAME(vkCreateInstance)))(info, allocator, instance);
}

static VkResult create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                              const VkAllocationCallbacks *allocator, VkDevice *device) {
  LINK(link, VkLayerDeviceCreateInfo, LOADER_DEVICE_CREATE_INFO, info)
  PFN_vkGetInstanceProcAddr proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  next_device_proc = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  VkResult result = ((PFN_vkCreateDevice)proc(NULL, NAME(vkCreateDevice)))(physical, info, allocator, device);
  if (result != VK_SUCCESS) return result;
  next_create_module = (PFN_vkCreateShaderModule)next_device_proc(*device, NAME(vkCreateShaderModule));
  next_destroy_module = (PFN_vkDestroyShaderModule)next_device_proc(*device, NAME(vkDestroyShaderModule));
  next_create_pipelines =
      (PFN_vkCreateComputePipelines)next_device_proc(*device, NAME(vkCreateComputePipelines));
  return result;
}

EXPORT PFN_vkVoidFunction vkGetDeviceProcAddr(VkDevice device, const char *name);
EXPORT PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name);

static PFN_vkVoidFunction own_proc(const char *name) {
  static const struct {
    const char *name;
    PFN_vkVoidFunction function;
  } own[] = {
      {NAME(vkCreateInstance), (PFN_vkVoidFunction)create_instance},
      {NAME(vkCreateDevice), (PFN_vkVoidFunction)create_device},
      {NAME(vkGetInstanceProcAddr), (PFN_vkVoidFunction)vkGetInstanceProcAddr},
      {NAME(vkGetDeviceProcAddr), (PFN_vkVoidFunction)vkGetDeviceProcAddr},
      {NAME(vkCreateShaderModule), (PFN_vkVoidFunction)create_module},
      {NAME(vkDestroyShaderModule), (PFN_vkVoidFunction)destroy_module},
      {NAME(vkCreateComputePipelines), (PFN_vkVoidFunction)create_pipelines},
  };
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    if (strcmp(own[i].name, name) == 0) return own[i].function;
  }
  return NULL;
}

PFN_vkVoidFunction vkGetDeviceProcAddr(VkDevice device, const char *name) {
  PFN_vkVoidFunction own = own_proc(name);
  return own ? own : next_device_proc(device, name);
}

PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name) {
  PFN_vkVoidFunction own = own_proc(name);
  if (own) return own;
  return next_instance_proc ? next_instance_proc(instance, name) : NULL;
}
