// The replica with the fewest requests in flight; of equals, one drawn at random.
//
//     cc -O2 -o least_in_flight least_in_flight.c
//
// It needs no JSON library: it looks for the one key that it compares, which each candidate has once.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char KEY[] = "\"in_flight\":";

int main(void) {
  const char *seed = getenv("SIM_SEED"); // The same in every run of a seed, another one in each frontend.
  srand(seed == NULL ? 0 : strtoul(seed, NULL, 10));
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stdin) > 0) {
    long least = 0;
    int index = -1, equals = 0, candidate = 0;
    for (char *at = line; (at = strstr(at, KEY)) != NULL; candidate++) {
      at += strlen(KEY);
      long in_flight = strtol(at, NULL, 10);
      if (index < 0 || in_flight < least) {
        least = in_flight;
        index = candidate;
        equals = 1;
      } else if (in_flight == least && rand() % ++equals == 0) {
        index = candidate;
      }
    }
    printf("{\"index\": %d}\n", index);
    fflush(stdout); // Without it the answer stays here, and the run waits.
  }
  return 0;
}
