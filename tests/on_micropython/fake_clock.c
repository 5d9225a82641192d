/* The C library's clock as a file shows it (FAKE_CLOCK, seconds since 1970): what mbedTLS checks certificates against. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

time_t time(time_t *result)
{
    long long seconds = 0;
    FILE *file = fopen(getenv("FAKE_CLOCK"), "r");
    if (file) {
        if (fscanf(file, "%lld", &seconds) != 1)
            seconds = 0;
        fclose(file);
    }
    if (result)
        *result = (time_t)seconds;
    return (time_t)seconds;
}
