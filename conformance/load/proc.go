package load

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of the times in /proc; Linux fixes it for all user space.
const ticksPerSecond = 100

// Usage is what processes used so far, in CPU seconds.
type Usage struct {
	// Own is of this process, Machine of all.
	Broker, Own, Machine float64
}

// Used reads Usage; what /proc does not tell stays 0.
func Used(pid int) Usage {
	var u Usage
	if pid > 0 {
		u.Broker = processSeconds(strconv.Itoa(pid))
	}
	u.Own = processSeconds("self")
	u.Machine = machineSeconds()
	return u
}

// processSeconds adds utime and stime of /proc/PID/stat. The name in the second field may hold
// spaces.
func processSeconds(pid string) float64 {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	return ticks(fields[11]) + ticks(fields[12])
}

// machineSeconds adds what all processors did but idle and wait for disks.
func machineSeconds() float64 {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	sum := 0.0
	for i, f := range bytes.Fields(line) {
		// cpu user nice system idle iowait irq softirq steal; guest time is in user already.
		if i >= 1 && i <= 8 && i != 4 && i != 5 {
			sum += ticks(f)
		}
	}
	return sum
}

func ticks(field []byte) float64 {
	n, err := strconv.ParseFloat(string(field), 64)
	if err != nil {
		return 0
	}
	return n / ticksPerSecond
}

// resident answers the resident memory of a process now and at its peak, in kB.
func resident(pid int) (now, peak int64) {
	if pid <= 0 {
		return 0, 0
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(b)) {
		name, rest, _ := strings.Cut(line, ":")
		f := strings.Fields(rest)
		if len(f) == 0 {
			continue
		}
		n, _ := strconv.ParseInt(f[0], 10, 64)
		switch name {
		case "VmRSS":
			now = n
		case "VmHWM":
			peak = n
		}
	}
	return now, peak
}
