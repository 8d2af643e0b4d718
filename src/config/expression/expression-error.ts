/** Something in an expression that cannot be read or calculated. */
export class ExpressionError extends Error {
  /** Where in the expression, from 1. */
  readonly column: number;

  constructor(message: string, column: number) {
    super(message);
    this.name = 'ExpressionError';
    this.column = column;
  }
}
