/** What an import may cost. The service takes these from its configuration, the command line uses the defaults. */
export interface ImportLimits {
  /** Largest model file, and largest external data file, in bytes. ONNX itself ends at 2 GiB. */
  readonly maxFileBytes: number;
  /** Largest single tensor that flows at run time, in bytes. */
  readonly maxTensorBytes: number;
  /** Most operators in the main graph. */
  readonly maxOperators: number;
}

export const DEFAULT_IMPORT_LIMITS: ImportLimits = {
  maxFileBytes: 2 ** 31 - 1,
  maxTensorBytes: 2 ** 30,
  maxOperators: 100_000,
};
