/** The formats that OpenAI's vision models read. */
export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'gif';

export type ImageMediaType = `image/${ImageFormat}`;

/** The facts in the header of an image. No pixel is decoded. */
export interface ImageInfo {
  readonly format: ImageFormat;
  readonly mediaType: ImageMediaType;
  /** Pixels across as shown, after EXIF orientation. */
  readonly width: number;
  /** Pixels down as shown, after EXIF orientation. */
  readonly height: number;
  /** EXIF orientation, 1 to 8; 1 where the file has none. */
  readonly orientation: number;
  /** More than one frame. */
  readonly animated: boolean;
  /** The file ends too early for its format. */
  readonly truncated: boolean;
}

/** The result of a format's header reader: the stored size, before orientation. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly animated: boolean;
  readonly truncated: boolean;
}
