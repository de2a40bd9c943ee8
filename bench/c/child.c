/* benchchild [LINES]: one supervised process of the benchmark.
 *
 * It tells its pid on the FIFO named by BENCH_FIFO and keeps it open: the driver
 * sees who is up by what it reads, and the end of the last by the FIFO's end,
 * without asking anybody. It catches nothing, so TERM ends it at once. Given
 * LINES it first writes that many lines of 100 bytes, 64,000 bytes a write.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void lines(long n)
{
	static char block[64000];
	memset(block, 'x', sizeof block);
	for (size_t i = 99; i < sizeof block; i += 100)
		block[i] = '\n';
	for (size_t left = n * 100; left > 0;) {
		ssize_t w = write(1, block, left < sizeof block ? left : sizeof block);
		if (w < 0)
			_exit(1);
		left -= w;
	}
}

int main(int argc, char **argv)
{
	const char *path = getenv("BENCH_FIFO");
	if (path) {
		int fd = open(path, O_WRONLY);
		int pid = getpid();
		if (fd < 0 || write(fd, &pid, sizeof pid) != sizeof pid)
			return 1;
	}
	if (argc > 1)
		lines(atol(argv[1]));
	for (;;)
		pause();
}
