package dev.twinbox.relay.store;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the log says of a lane: who holds it, and how far it has come.
 *
 * @param lane the lane's number
 * @param seq the number of the log row that this was read from; the next write must be seq + 1
 * @param owner the relay that holds the lane, or null
 * @param claimId the random id of the holder's claim, or null
 * @param epoch counts the claims
 * @param window counts the windows opened
 * @param done the snapshot up to which everything is settled
 * @param target the snapshot up to which the open window reaches, or null when none is open
 * @param floor no row of the open window that {@code done} does not list has a lower position
 * @param nextFloor the floor of the window after the open one
 * @param ceiling no row of the open window has a higher position
 * @param cursor everything of the open window up to this position is settled
 * @param ahead positions beyond the cursor that are settled too
 */
public record LaneState(
    int lane,
    long seq,
    @Nullable String owner,
    @Nullable UUID claimId,
    long epoch,
    long window,
    String done,
    @Nullable String target,
    long floor,
    long nextFloor,
    long ceiling,
    long cursor,
    List<Long> ahead) {

  public LaneState {
    ahead = List.copyOf(ahead);
  }

  /** Whether a window is open. */
  public boolean isOpen() {
    return target != null;
  }
}
