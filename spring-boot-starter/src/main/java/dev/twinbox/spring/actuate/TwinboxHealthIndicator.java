package dev.twinbox.spring.actuate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Whether relay and consumers can work; asks neither database nor broker. Not meant for liveness:
 * what is wrong mends itself, and a restart would not help.
 */
public final class TwinboxHealthIndicator extends AbstractHealthIndicator {
  private final Map<String, Supplier<List<String>>> parts;

  /**
   * @param parts what there is, each with its problems; none when it can work
   */
  public TwinboxHealthIndicator(Map<String, Supplier<List<String>>> parts) {
    super("Twinbox could not be asked");
    this.parts = Map.copyOf(parts);
  }

  @Override
  protected void doHealthCheck(Health.Builder health) {
    List<String> problems = new ArrayList<>();
    parts.forEach(
        (name, part) -> {
          List<String> own = part.get();
          health.withDetail(name, own.isEmpty() ? "UP" : own);
          problems.addAll(own);
        });
    if (problems.isEmpty()) {
      health.up();
    } else {
      health.down();
    }
  }
}
