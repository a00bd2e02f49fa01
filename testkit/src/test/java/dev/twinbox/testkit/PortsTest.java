package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Ports of servers, which are bound long after they were found free. */
class PortsTest {
  private static final int SEVERAL_BLOCKS = 120;

  @Test
  void ownersThatLiveAtATimeShareNoPort() {
    for (int round = 0; round < 20; round++) {
      Ports one = new Ports();
      Ports other = new Ports();
      try {
        Set<Integer> given = new HashSet<>();
        for (int i = 0; i < SEVERAL_BLOCKS; i++) {
          assertThat(given.add(one.free())).isTrue();
          assertThat(given.add(other.free())).isTrue();
        }
      } finally {
        one.release();
        other.release();
      }
    }
  }

  @Test
  void aPortInUseIsNotGiven() throws IOException {
    Ports ports = new Ports();
    try {
      int first = ports.free();
      try (ServerSocket taken = new ServerSocket(first + 1, 1, InetAddress.getLoopbackAddress())) {
        assertThat(IntStream.range(0, SEVERAL_BLOCKS).map(i -> ports.free()))
            .doesNotContain(taken.getLocalPort());
      }
    } finally {
      ports.release();
    }
  }
}
