/* A control software 5.x that is none: the functions a pharmacy calls, with the habits of the real one.
 *
 * Undecorated names, 16-bit lengths, outputs filled with blanks and without NUL, 316 and 43 bytes written whatever length was
 * announced. It reads what it should be from the text file named by CSHIS_STUB ("key=value" lines) at every call, and appends
 * each call's name to that file plus ".log". Keys: card absent expired mixed network sam hang crash overrun print code.NAME id
 * name birth number no_id blank_id left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define API __attribute__((visibility("default"))) int

static int opened, updated;
static char text[4096];

static const char *get(const char *key, const char *otherwise) {
  static char value[8][256];
  static int turn;
  char wanted[80];
  snprintf(wanted, sizeof wanted, "\n%s=", key);
  const char *found = strstr(text, wanted);
  if (!found) return otherwise;
  found += strlen(wanted);
  char *into = value[turn++ % 8];
  size_t length = strcspn(found, "\n");
  if (length > 255) length = 255;
  memcpy(into, found, length);
  into[length] = 0;
  return into;
}
static int is(const char *key) { return atoi(get(key, "0")); }

/* What every call begins with: read the state, note the call, hang or crash where told. */
static int begin(const char *name) {
  const char *file = getenv("CSHIS_STUB");
  char log[512], key[80];
  text[0] = '\n';
  text[1] = 0;
  if (file) {
    FILE *state = fopen(file, "r");
    if (state) {
      size_t length = fread(text + 1, 1, sizeof text - 3, state);
      text[1 + length] = '\n';
      text[2 + length] = 0;
      fclose(state);
    }
    snprintf(log, sizeof log, "%s.log", file);
    FILE *calls = fopen(log, "a");
    if (calls) { fprintf(calls, "%s\n", name); fclose(calls); }
  }
  if (is("print")) { printf("{\"id\": 1}\nnoise from %s\n", name); fflush(stdout); }
  if (!strcmp(get("hang", ""), name)) for (;;) sleep(1);
  if (!strcmp(get("crash", ""), name)) abort();
  snprintf(key, sizeof key, "code.%s", name);
  return is(key);
}

/* What every call that needs the card checks, in the order of the real one. */
static int ready(const char *name) {
  int code = begin(name);
  if (!opened) return 9205;
  if (is("no_console")) return 9240;
  if (!atoi(get("network", "1"))) return 4061;
  if (!atoi(get("sam", "1"))) return 4051;
  if (!atoi(get("card", "1"))) return 4013;
  if (is("foreign")) return 4033;
  if (is("mixed")) return 9203;
  return code;
}

static void fill(char *to, size_t size, const char *from) {
  size_t length = strlen(from);
  memset(to, ' ', size);
  memcpy(to, from, length < size ? length : size);
}

/* min(announced, real) bytes, and the length set to what was copied only where more was announced */
static void give(char *to, short *announced, const char *from, short size) {
  short length = *announced < size ? *announced : size;
  memcpy(to, from, length);
  if (*announced > size) *announced = size;
}

API csOpenCom(int port) { int code = begin("csOpenCom"); if (!code) opened = port == atoi(get("port", "0")); return code ? code : opened ? 0 : 9205; }
API csCloseCom(void) { int code = begin("csCloseCom"); opened = 0; return code; }
API csVerifySAMDC(void) { int code = begin("csVerifySAMDC"); if (!opened) return 9205; return code ? code : atoi(get("sam", "1")) ? 0 : 4051; }
API csGetVersionEx(char *path) { begin("csGetVersionEx"); strcpy(path, "C:\\NHI\\LIB\\CSHIS50.DLL"); return 5157; }
API hpcGetHPCStatus(int request, short *status) { int code = begin("hpcGetHPCStatus"); (void)request; *status = 1; return code; }
API hisGetCardStatus(int type) {
  begin("hisGetCardStatus");
  if (!opened) return 4000;
  if (type == 1) return atoi(get("sam", "1")) ? 2 : 1;
  if (type == 2) return atoi(get("card", "1")) ? 2 : 0;
  return 0;
}

API csGetCardNo(int type, char *buffer, short *length) {
  int code = ready("csGetCardNo");
  (void)type;
  if (code) return code;
  give(buffer, length, get("number", "000012345678"), 12);
  return 0;
}

static void basic(char *to) {
  fill(to, 12, get("number", "000012345678"));
  memset(to + 12, 0, 20);
  memcpy(to + 12, "\xa4\xfd\xa4\x70\xa9\xfa", 6);
  fill(to + 32, 10, get("id", "A123456789"));
  fill(to + 42, 7, get("birth", "0501231"));
  fill(to + 49, 1, "M");
  fill(to + 50, 7, "1090101");
  fill(to + 57, 1, "1");
  fill(to + 58, 14, "0912345678");
}

API hisGetBasicData(char *buffer, short *length) {
  char all[72];
  int code = ready("hisGetBasicData");
  if (code) return code;
  basic(all);
  give(buffer, length, all, 72);
  if (is("overrun")) memset(buffer + 72, 'X', 100);
  return 0;
}

API hisGetRegisterBasic2(char *buffer, short *length) {
  int code = ready("hisGetRegisterBasic2");
  if (code) return code;
  give(buffer, length, is("expired") && !updated ? "115010100" : "116123106", 9);
  return 0;
}

API csUpdateHCContents(void) {
  int code = ready("csUpdateHCContents");
  if (code) return code;
  if (is("left") > 3) return 9081;
  updated = 1;
  return 0;
}

API hisGetSeqNumber256N1(char *item, char *baby, char *after, char *buffer, short *length) {
  int code = ready("hisGetSeqNumber256N1");
  const char *bad = strlen(item) == 2 && strlen(baby) >= 1 && (*after == '1' || *after == '2') ? 0 : "";
  (void)length;
  if (code && code != 5010 && code != 5174) return code;
  if (bad) return 6018;
  if ((is("expired") && !updated) || is("stays_expired")) return 5003;
  memset(buffer, ' ', 316);
  if (code == 5174 && is("no_number")) return code;
  fill(buffer, 13, get("at", "1151120090013"));
  fill(buffer + 17, 10, get("institution", "5901234567"));
  memset(buffer + 27, 'A', 256);
  fill(buffer + 283, 12, "SAM000000001");
  buffer[295] = 'N';
  fill(buffer + 296, 20, code == 5174 ? "garbage" : get("visit_id", "00006GA11RP4J3DM2VA7"));
  return code;
}

API hisGetTreatNumICCard(char *at, char *buffer, short *length) {
  int code = ready("hisGetTreatNumICCard");
  if (code) return code;
  if (strcmp(at, get("at", "1151120090013"))) return 5022;
  (void)length;
  fill(buffer, 20, get("visit_id", "00006GA11RP4J3DM2VA7"));
  return 0;
}

API hisGetTreatNumNoICCard(char *patient, char *institution, char *buffer, short *length) {
  int code = begin("hisGetTreatNumNoICCard");
  if (!opened) return 9205;
  if (code) return code;
  if (strlen(patient) != 10 || strlen(institution) != 10) return 6018;
  (void)length;
  fill(buffer, 13, get("at", "1151120090013"));
  fill(buffer + 13, 10, institution);
  fill(buffer + 23, 20, get("visit_id", "B000T2A11RP4J3DM2VA7"));
  return 0;
}

/* 40 capital hex characters out of what was signed */
static void sign(char *to, const char *record) {
  unsigned long long state = 1469598103934665603ULL;
  for (int at = 0; at < 61; at++) state = (state ^ (unsigned char)record[at]) * 1099511628211ULL;
  for (int at = 0; at < 40; at++) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    to[at] = "0123456789ABCDEF"[state >> 60];
  }
}

API hisWriteMultiPrescriptSign(char *at, char *id, char *birth, char *data, short *count, char *buffer, short *length) {
  int code = ready("hisWriteMultiPrescriptSign");
  if (code) return code;
  if (strcmp(id, get("id", "A123456789")) || strcmp(birth, get("birth", "0501231"))) return 5020;
  if (*count < 1 || *count > 60 || (int)strlen(data) != 61 * *count || *length < 40 * *count) return 6018;
  for (int line = 0; line < *count; line++) {
    if (memcmp(data + 61 * line, at, 13)) return 5022;
    sign(buffer + 40 * line, data + 61 * line);
  }
  if (is("lose_one")) *count -= 1;
  return 0;
}

API csUnGetSeqNumber(char *at) {
  int code = ready("csUnGetSeqNumber");
  if (code) return code;
  if (strcmp(at, get("at", "1151120090013"))) return 5150;
  return 5151;
}
