/** Codes with which the API turns an image down. */
export type ImageProblemCode = 'empty_image_file' | 'invalid_image_format' | 'image_parse_error' | 'image_too_small';

/** The bytes are not an image that the API takes. */
export class ImageProblem extends Error {
  readonly code: ImageProblemCode;

  constructor(code: ImageProblemCode) {
    super(`not an image that the API takes: ${code}`);
    this.code = code;
  }
}
