@NullMarked
package dev.twinbox.shop.local;

import org.jspecify.annotations.NullMarked;
