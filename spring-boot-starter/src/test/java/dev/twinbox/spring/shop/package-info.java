@NullMarked
package dev.twinbox.spring.shop;

import org.jspecify.annotations.NullMarked;
