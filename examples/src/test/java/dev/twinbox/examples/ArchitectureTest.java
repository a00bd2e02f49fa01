package dev.twinbox.examples;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import dev.twinbox.migrations.SchemaName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The arrows between modules and between the relay's packages go one way. */
class ArchitectureTest {
  private static final String ALL = "dev.twinbox..";
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.twinbox");

  @ParameterizedTest
  @ValueSource(strings = {"outbox", "inbox", "migrations", "testkit"})
  void theseModulesKnowNoOtherOfOurs(String module) {
    String own = "dev.twinbox." + module + "..";
    check(
        noClasses()
            .that()
            .resideInAPackage(own)
            .should()
            .dependOnClassesThat(resideInAPackage(ALL).and(not(resideInAPackage(own)))));
  }

  @Test
  void theRelayKnowsOutboxInboxAndMigrationsOnly() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.twinbox.relay..")
            .should()
            .dependOnClassesThat(
                resideInAPackage(ALL)
                    .and(
                        not(
                            resideInAnyPackage(
                                "dev.twinbox.relay..",
                                "dev.twinbox.outbox..",
                                "dev.twinbox.inbox..",
                                "dev.twinbox.migrations..")))));
  }

  /**
   * The operator's side looks after both tables; the machinery that relays knows the outbox only.
   */
  @Test
  void onlyTheCommandLineAndTheDoctorKnowTheInbox() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.twinbox.relay..")
            .and()
            .resideOutsideOfPackages("dev.twinbox.relay.cli..", "dev.twinbox.relay.doctor..")
            .should()
            .dependOnClassesThat(resideInAPackage("dev.twinbox.inbox..")));
  }

  @Test
  void onlyTheCommandLineMigrates() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.twinbox.relay..")
            .and()
            .resideOutsideOfPackage("dev.twinbox.relay.cli..")
            .should()
            .dependOnClassesThat(
                resideInAPackage("dev.twinbox.migrations..")
                    .and(
                        not(
                            com.tngtech.archunit.core.domain.JavaClass.Predicates.type(
                                SchemaName.class)))));
  }

  @Test
  void theRelaysPackagesAreLayers() {
    check(
        layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage("dev.twinbox.relay..")
            .layer("cli")
            .definedBy("dev.twinbox.relay.cli..")
            .layer("relay")
            .definedBy("dev.twinbox.relay")
            .layer("doctor")
            .definedBy("dev.twinbox.relay.doctor..")
            .layer("deadletter")
            .definedBy("dev.twinbox.relay.deadletter..")
            .layer("archive")
            .definedBy("dev.twinbox.relay.archive..")
            .layer("schedule")
            .definedBy("dev.twinbox.relay.schedule..")
            .layer("drain")
            .definedBy("dev.twinbox.relay.drain..")
            .layer("metrics")
            .definedBy("dev.twinbox.relay.metrics..")
            .layer("status")
            .definedBy("dev.twinbox.relay.status..")
            .layer("store")
            .definedBy("dev.twinbox.relay.store..")
            .layer("kafka")
            .definedBy("dev.twinbox.relay.kafka..")
            .layer("rabbitmq")
            .definedBy("dev.twinbox.relay.rabbitmq..")
            .layer("publish")
            .definedBy("dev.twinbox.relay.publish..")
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("metrics")
            .mayOnlyBeAccessedByLayers("cli")
            .whereLayer("relay")
            .mayOnlyBeAccessedByLayers("metrics", "cli")
            .whereLayer("status")
            .mayOnlyBeAccessedByLayers("relay", "metrics", "cli")
            .whereLayer("deadletter")
            .mayOnlyBeAccessedByLayers("archive", "cli")
            .whereLayer("archive")
            .mayOnlyBeAccessedByLayers("cli")
            .whereLayer("doctor")
            .mayOnlyBeAccessedByLayers("relay", "cli")
            .whereLayer("schedule")
            .mayOnlyBeAccessedByLayers("relay")
            .whereLayer("drain")
            .mayOnlyBeAccessedByLayers("schedule", "relay", "metrics", "cli")
            .whereLayer("store")
            .mayOnlyBeAccessedByLayers(
                "drain", "schedule", "relay", "doctor", "deadletter", "archive", "status", "cli")
            .whereLayer("kafka")
            .mayOnlyBeAccessedByLayers("doctor", "cli")
            .whereLayer("rabbitmq")
            .mayOnlyBeAccessedByLayers("doctor", "cli")
            .whereLayer("publish")
            .mayOnlyBeAccessedByLayers(
                "kafka",
                "rabbitmq",
                "store",
                "drain",
                "schedule",
                "relay",
                "metrics",
                "doctor",
                "cli"));
  }

  @Test
  void noPackagesGoRoundInACircle() {
    check(slices().matching("dev.twinbox.(**)").should().beFreeOfCycles());
  }

  @Test
  void packagesAreNullMarked() {
    check(
        classes()
            .that()
            .haveSimpleName("package-info")
            .should()
            .beAnnotatedWith(org.jspecify.annotations.NullMarked.class));
  }

  @Test
  void theClassesOfAllModulesAreLookedAt() {
    for (String module :
        new String[] {"outbox", "inbox", "relay", "migrations", "testkit", "examples"}) {
      assertThat(CLASSES)
          .as(module)
          .anyMatch(c -> c.getPackageName().startsWith("dev.twinbox." + module));
    }
  }

  private static void check(ArchRule rule) {
    rule.check(CLASSES);
  }
}
