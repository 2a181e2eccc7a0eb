/* A video device that is not there, for LD_PRELOAD: /dev/video0 with the sizes and pictures of a folder.
 *
 * FAKE_CAMERA names a folder. Each file WIDTHxHEIGHT.jpg in it is a size that the camera has, and the picture that it shows at
 * that size. While the folder holds a file "unplugged", the device cannot be opened and gives no frames (ENODEV).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFERS 6
#define ROOM (4 << 20)
static const char *const device = "/dev/video0";
static int handle = -1, width = 640, height = 480, streaming;
static unsigned queue[64], queued, taken, frames;

static const char *folder(void) { return getenv("FAKE_CAMERA"); }

static int real_open(const char *path, int flags, mode_t mode) {
  int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
  return next(path, flags, mode);
}

static int gone(void) {
  char name[4096];
  snprintf(name, sizeof name, "%s/unplugged", folder());
  return access(name, F_OK) == 0;
}

static void start_again(void) { streaming = 0; queued = taken = 0; }

static int opened(const char *path, int flags, mode_t mode) {
  if (!folder() || strcmp(path, device)) return real_open(path, flags, mode);
  if (gone()) { errno = ENODEV; return -1; }
  handle = memfd_create("camera", 0);
  if (ftruncate(handle, (off_t)BUFFERS * ROOM)) return -1;
  start_again();
  return handle;
}

int open(const char *path, int flags, ...) {
  va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more);
  return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more);
  return opened(path, flags, mode);
}

int stat(const char *path, struct stat *about) {
  int (*next)(const char *, struct stat *) = (int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "stat");
  if (!folder() || strcmp(path, device)) return next(path, about);
  if (gone()) { errno = ENOENT; return -1; }
  memset(about, 0, sizeof *about);
  about->st_mode = S_IFCHR | 0660;
  return 0;
}

int close(int file) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
  if (file >= 0 && file == handle) { handle = -1; start_again(); }
  return next(file);
}

/* The size that is asked for, or the largest one that is not larger. */
static void choose(int *wanted_width, int *wanted_height) {
  int best_width = 0, best_height = 0, w, h;
  DIR *all = opendir(folder());
  for (struct dirent *entry; all && (entry = readdir(all));)
    if (sscanf(entry->d_name, "%dx%d.jpg", &w, &h) == 2 && w <= *wanted_width && h <= *wanted_height && w > best_width) best_width = w, best_height = h;
  if (all) closedir(all);
  *wanted_width = best_width ? best_width : width;
  *wanted_height = best_height ? best_height : height;
}

static void describe(struct v4l2_format *format) {
  struct v4l2_pix_format *pix = &format->fmt.pix;
  pix->pixelformat = V4L2_PIX_FMT_MJPEG;
  pix->field = V4L2_FIELD_NONE;
  pix->bytesperline = 0;
  pix->sizeimage = ROOM;
  pix->colorspace = V4L2_COLORSPACE_JPEG;
}

static int fill(struct v4l2_buffer *buffer) {
  static char picture[ROOM];
  char name[4096];
  snprintf(name, sizeof name, "%s/%dx%d.jpg", folder(), width, height);
  int file = real_open(name, O_RDONLY, 0);
  ssize_t length = file < 0 ? -1 : read(file, picture, sizeof picture);
  if (file >= 0) close(file);
  if (length <= 0) { errno = EIO; return -1; }
  buffer->bytesused = (unsigned)length;
  return pwrite(handle, picture, (size_t)length, (off_t)buffer->m.offset) == length ? 0 : -1;
}

static int answer(unsigned long request, void *argument) {
  if (gone()) { errno = ENODEV; return -1; }
  switch (request) {
  case VIDIOC_QUERYCAP: {
    struct v4l2_capability *about = argument;
    memset(about, 0, sizeof *about);
    strcpy((char *)about->driver, "fake");
    strcpy((char *)about->card, "Fake camera");
    about->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    about->capabilities = about->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
  }
  case VIDIOC_ENUMINPUT: {
    struct v4l2_input *input = argument;
    if (input->index) break;
    input->type = V4L2_INPUT_TYPE_CAMERA;
    return 0;
  }
  case VIDIOC_G_INPUT: *(int *)argument = 0; return 0;
  case VIDIOC_S_INPUT: return 0;
  case VIDIOC_ENUM_FMT: {
    struct v4l2_fmtdesc *form = argument;
    if (form->index) break;
    form->pixelformat = V4L2_PIX_FMT_MJPEG;
    form->flags = V4L2_FMT_FLAG_COMPRESSED;
    return 0;
  }
  case VIDIOC_G_FMT: {
    struct v4l2_format *format = argument;
    format->fmt.pix.width = (unsigned)width;
    format->fmt.pix.height = (unsigned)height;
    describe(format);
    return 0;
  }
  case VIDIOC_S_FMT: case VIDIOC_TRY_FMT: {
    struct v4l2_format *format = argument;
    int w = (int)format->fmt.pix.width, h = (int)format->fmt.pix.height;
    choose(&w, &h);
    format->fmt.pix.width = (unsigned)w;
    format->fmt.pix.height = (unsigned)h;
    if (request == VIDIOC_S_FMT) width = w, height = h;
    describe(format);
    return 0;
  }
  case VIDIOC_G_PARM: case VIDIOC_S_PARM: {
    struct v4l2_streamparm *rate = argument;
    rate->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
    rate->parm.capture.timeperframe.numerator = 1;
    rate->parm.capture.timeperframe.denominator = 30;
    return 0;
  }
  case VIDIOC_REQBUFS: {
    struct v4l2_requestbuffers *wanted = argument;
    if (wanted->memory != V4L2_MEMORY_MMAP) break;
    if (wanted->count > BUFFERS) wanted->count = BUFFERS;
    queued = taken = 0;
    return 0;
  }
  case VIDIOC_QUERYBUF: {
    struct v4l2_buffer *buffer = argument;
    if (buffer->index >= BUFFERS) break;
    buffer->length = ROOM;
    buffer->m.offset = buffer->index * ROOM;
    buffer->flags = 0;
    return 0;
  }
  case VIDIOC_QBUF: queue[queued++ % 64] = ((struct v4l2_buffer *)argument)->index; return 0;
  case VIDIOC_STREAMON: streaming = 1; return 0;
  case VIDIOC_STREAMOFF: start_again(); return 0;
  case VIDIOC_DQBUF: {
    struct v4l2_buffer *buffer = argument;
    if (!streaming || queued == taken) { errno = EAGAIN; return -1; }
    usleep(5000);
    buffer->index = queue[taken++ % 64];
    buffer->length = ROOM;
    buffer->m.offset = buffer->index * ROOM;
    buffer->memory = V4L2_MEMORY_MMAP;
    buffer->sequence = frames++;
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    return fill(buffer);
  }
  }
  errno = EINVAL;
  return -1;
}

int ioctl(int file, unsigned long request, ...) {
  va_list more; va_start(more, request); void *argument = va_arg(more, void *); va_end(more);
  if (file >= 0 && file == handle) return answer(request & 0xffffffffUL, argument);
  int (*next)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
  return next(file, request, argument);
}
