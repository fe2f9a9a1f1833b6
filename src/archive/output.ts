/** The destination of a long answer that is written in pieces. */
export interface Output {
  /**
   * @returns false when nobody reads the output any more
   * @throws NixgateError E_OUTPUT_WRITE, status 74
   */
  write(text: string): boolean;
  /**
   * Completes the output.
   * @throws NixgateError E_OUTPUT_WRITE
   */
  finish(): void;
  /** Removes the partial output; has no effect after `finish`. */
  abandon(): void;
}
