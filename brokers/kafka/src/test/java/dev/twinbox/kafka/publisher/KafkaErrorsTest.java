package dev.twinbox.kafka.publisher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Whose fault each of Kafka's exceptions is. A class that a newer client brings is in none of these
 * lists, and fails the test until somebody has decided.
 */
class KafkaErrorsTest {
  /** The message becomes a dead letter at once. */
  private static final Map<String, Reason> REJECTED =
      Map.of(
          "RecordTooLargeException", Reason.TOO_LARGE,
          "SerializationException", Reason.MALFORMED,
          "RecordDeserializationException", Reason.MALFORMED,
          "InvalidTopicException", Reason.UNKNOWN_DESTINATION);

  /** Counted only where its neighbours are taken. */
  private static final Map<String, Reason> FAILED =
      Map.of(
          "InvalidRecordException", Reason.MALFORMED,
          "CorruptRecordException", Reason.MALFORMED,
          "RecordBatchTooLargeException", Reason.TOO_LARGE);

  private static final Map<Reason, List<String>> UNAVAILABLE =
      Map.of(
          Reason.WRONG_CLOCK,
          List.of("InvalidTimestampException"),
          Reason.MISSING_DESTINATION,
          List.of("UnknownTopicOrPartitionException", "UnknownTopicIdException"),
          Reason.NOT_AUTHORISED,
          List.of(
              "AuthorizationException",
              "ClusterAuthorizationException",
              "DelegationTokenAuthorizationException",
              "GroupAuthorizationException",
              "TopicAuthorizationException",
              "TransactionalIdAuthorizationException"),
          Reason.NOT_AUTHENTICATED,
          List.of(
              "AuthenticationException",
              "IllegalSaslStateException",
              "SaslAuthenticationException",
              "SecurityDisabledException",
              "SslAuthenticationException",
              "UnsupportedByAuthenticationException",
              "UnsupportedSaslMechanismException"),
          Reason.NOT_ENOUGH_REPLICAS,
          List.of("NotEnoughReplicasException", "NotEnoughReplicasAfterAppendException"),
          Reason.NO_LEADER,
          List.of(
              "LeaderNotAvailableException",
              "NotLeaderOrFollowerException",
              "ReplicaNotAvailableException"),
          Reason.UNREACHABLE,
          List.of(
              "BootstrapResolutionException",
              "BrokerNotAvailableException",
              "RebootstrapRequiredException",
              "TimeoutException"),
          Reason.REFUSED,
          List.of(
              "AuthorizerNotReadyException",
              "InvalidConfigurationException",
              "InvalidPartitionsException",
              "InvalidReplicationFactorException",
              "InvalidRequestException",
              "InvalidRequiredAcksException",
              "KafkaStorageException",
              "PolicyViolationException",
              "ThrottlingQuotaExceededException",
              "UnsupportedCompressionTypeException",
              "UnsupportedForMessageFormatException",
              "UnsupportedVersionException"));

  /** It may have been taken, or it says nothing about a message: published again. */
  private static final Set<String> UNKNOWN =
      Set.of(
          // What a producer can meet.
          "ApiException",
          "ConcurrentTransactionsException",
          "DisconnectException",
          "DuplicateSequenceException",
          "FencedLeaderEpochException",
          "InconsistentTopicIdException",
          "InterruptException",
          "InvalidPidMappingException",
          "InvalidProducerEpochException",
          "InvalidTxnStateException",
          "InvalidTxnTimeoutException",
          "NetworkException",
          "OperationNotAttemptedException",
          "OutOfOrderSequenceException",
          "ProducerFencedException",
          "TransactionAbortableException",
          "TransactionAbortedException",
          "TransactionCoordinatorFencedException",
          "TransactionalIdNotFoundException",
          "UnknownLeaderEpochException",
          "UnknownProducerIdException",
          "UnknownServerException",
          // What only consumers, groups, administrators and brokers among themselves meet.
          "BrokerIdNotRegisteredException",
          "ControllerIdNotRegisteredException",
          "ControllerMovedException",
          "CoordinatorLoadInProgressException",
          "CoordinatorNotAvailableException",
          "DelegationTokenDisabledException",
          "DelegationTokenExpiredException",
          "DelegationTokenNotFoundException",
          "DelegationTokenOwnerMismatchException",
          "DuplicateBrokerRegistrationException",
          "DuplicateResourceException",
          "DuplicateVoterException",
          "ElectionNotNeededException",
          "EligibleLeadersNotAvailableException",
          "FeatureUpdateFailedException",
          "FencedInstanceIdException",
          "FencedMemberEpochException",
          "FencedStateEpochException",
          "FetchSessionIdNotFoundException",
          "FetchSessionTopicIdException",
          "GroupDeletionFailedException",
          "GroupIdNotFoundException",
          "GroupMaxSizeReachedException",
          "GroupNotEmptyException",
          "GroupSubscribedToTopicException",
          "IllegalGenerationException",
          "InconsistentClusterIdException",
          "InconsistentGroupProtocolException",
          "InconsistentVoterSetException",
          "IneligibleReplicaException",
          "InvalidCommitOffsetSizeException",
          "InvalidFetchSessionEpochException",
          "InvalidFetchSizeException",
          "InvalidGroupIdException",
          "InvalidOffsetException",
          "InvalidPrincipalTypeException",
          "InvalidRecordStateException",
          "InvalidRegistrationException",
          "InvalidRegularExpression",
          "InvalidReplicaAssignmentException",
          "InvalidSessionTimeoutException",
          "InvalidShareSessionEpochException",
          "InvalidUpdateVersionException",
          "InvalidVoterKeyException",
          "ListenerNotFoundException",
          "LogDirNotFoundException",
          "MemberIdRequiredException",
          "MismatchedEndpointTypeException",
          "NewLeaderElectedException",
          "NoReassignmentInProgressException",
          "NotControllerException",
          "NotCoordinatorException",
          "OffsetMetadataTooLarge",
          "OffsetMovedToTieredStorageException",
          "OffsetNotAvailableException",
          "OffsetOutOfRangeException",
          "PositionOutOfRangeException",
          "PreferredLeaderNotAvailableException",
          "PrincipalDeserializationException",
          "ReassignmentInProgressException",
          "RebalanceInProgressException",
          "ResourceNotFoundException",
          "ShareSessionLimitReachedException",
          "ShareSessionNotFoundException",
          "SnapshotNotFoundException",
          "StaleBrokerEpochException",
          "StaleMemberEpochException",
          "StreamsInvalidTopologyEpochException",
          "StreamsInvalidTopologyException",
          "StreamsTopologyDescriptionUpdateFailedException",
          "StreamsTopologyFencedException",
          "TelemetryTooLargeException",
          "TopicDeletionDisabledException",
          "TopicExistsException",
          "UnacceptableCredentialException",
          "UnknownControllerIdException",
          "UnknownMemberIdException",
          "UnknownSubscriptionIdException",
          "UnreleasedInstanceIdException",
          "UnstableOffsetCommitException",
          "UnsupportedAssignorException",
          "UnsupportedEndpointTypeException",
          "VoterNotFoundException",
          "WakeupException");

  @TestFactory
  Stream<DynamicTest> eachExceptionOfTheClientHasItsOutcome() throws Exception {
    return exceptions().stream()
        .map(
            type -> DynamicTest.dynamicTest(type.getSimpleName(), () -> assertDecided(make(type))));
  }

  private static void assertDecided(Exception failure) {
    String name = failure.getClass().getSimpleName();
    Map<String, Reason> unavailable = new HashMap<>();
    UNAVAILABLE.forEach((why, names) -> names.forEach(each -> unavailable.put(each, why)));
    Outcome outcome = KafkaErrors.outcome(failure);

    if (outcome instanceof Outcome.Rejected rejected) {
      assertThat(rejected.reason()).isEqualTo(REJECTED.get(name));
    } else if (outcome instanceof Outcome.Failed failed) {
      assertThat(failed.reason()).isEqualTo(FAILED.get(name));
    } else if (outcome instanceof Outcome.Unavailable is) {
      assertThat(is.reason()).isEqualTo(unavailable.get(name));
    } else {
      assertThat(UNKNOWN).contains(name);
    }
    assertThat(outcome.toString()).contains(name);
  }

  @Test
  void eachNameIsDecidedOnOnceAndStillExists() throws Exception {
    Set<String> names = new TreeSet<>();
    exceptions().forEach(type -> names.add(type.getSimpleName()));
    List<String> decided =
        Stream.of(
                REJECTED.keySet().stream(),
                FAILED.keySet().stream(),
                UNAVAILABLE.values().stream().flatMap(List::stream),
                UNKNOWN.stream())
            .flatMap(each -> each)
            .toList();

    assertThat(decided).doesNotHaveDuplicates();
    assertThat(new TreeSet<>(decided)).isEqualTo(names);
  }

  @Test
  void whatIsNotKnownIsUnknown() {
    assertThat(KafkaErrors.outcome(new KafkaException("closed forcefully")))
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(KafkaErrors.outcome(new ApiException("of a newer broker") {}))
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(KafkaErrors.outcome(new BufferExhaustedException("full")))
        .isInstanceOf(Outcome.Unavailable.class);
  }

  @Test
  void causesThatGoRoundAndMessagesThatThrowAreSaidAsFarAsPossible() {
    KafkaException first =
        new KafkaException("first") {
          @Override
          public String getMessage() {
            throw new IllegalStateException("no message");
          }
        };
    KafkaException second = new KafkaException("second", first);
    first.initCause(second);

    assertThat(KafkaErrors.detail(second)).contains("second").hasSizeLessThan(500);
  }

  private static List<Class<? extends Exception>> exceptions() throws Exception {
    Set<Class<?>> found = new HashSet<>(Set.of(InvalidRecordException.class));
    URI jar =
        URI.create(
            "jar:"
                + TimeoutException.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
    try (FileSystem files = FileSystems.newFileSystem(jar, Map.of());
        Stream<Path> classes = Files.list(files.getPath("org/apache/kafka/common/errors"))) {
      for (String file : classes.map(each -> each.getFileName().toString()).toList()) {
        if (file.endsWith(".class") && !file.contains("$")) {
          found.add(Class.forName("org.apache.kafka.common.errors." + file.replace(".class", "")));
        }
      }
    } catch (IOException e) {
      throw new URISyntaxException(jar.toString(), String.valueOf(e.getMessage()));
    }
    found.removeIf(type -> Modifier.isAbstract(type.getModifiers()));
    return found.stream()
        .<Class<? extends Exception>>map(e -> e.asSubclass(Exception.class))
        .toList();
  }

  /** By whatever constructor it has. */
  private static Exception make(Class<? extends Exception> type) throws Exception {
    for (Constructor<?> constructor : type.getDeclaredConstructors()) {
      try {
        constructor.setAccessible(true);
        return (Exception)
            constructor.newInstance(
                Arrays.stream(constructor.getParameterTypes()).map(KafkaErrorsTest::any).toArray());
      } catch (InvocationTargetException e) {
        // That one wants more than nothing.
      }
    }
    throw new IllegalStateException("No constructor of " + type + " was of use");
  }

  private static @Nullable Object any(Class<?> type) {
    if (type == String.class) {
      return "m";
    }
    if (type == int.class) {
      return 0;
    }
    if (type == long.class) {
      return 0L;
    }
    if (type == boolean.class) {
      return false;
    }
    return type == Set.class ? Set.of() : type == Map.class ? Map.of() : null;
  }

  @Test
  void aRecordWhoseTimeIsRefusedInABatchOfSeveralIsNotCalledMalformed() {
    Outcome outcome =
        KafkaErrors.outcome(
            new InvalidRecordException(
                "Timestamp 1795897116659 of message with offset 6 is out of range. The timestamp"
                    + " should be within [1795897116869, 1795900716869]"));

    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            is -> {
              assertThat(is.reason()).isEqualTo(Reason.WRONG_CLOCK);
              assertThat(is.detail()).contains("message.timestamp.before.max.ms");
            });
  }
}
