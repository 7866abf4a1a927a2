package rpmhdr_test

import (
	"encoding/binary"
	"fmt"
	"slices"

	"digestlists/parsers/rpmhdr"
)

// A field is one entry of a header to be built.
type field struct {
	tag   rpmhdr.Tag
	kind  uint32
	count uint32
	data  []byte
}

func texts(tag rpmhdr.Tag, values ...string) field {
	f := field{tag: tag, kind: 8, count: uint32(len(values))}
	for _, v := range values {
		f.data = append(append(f.data, v...), 0)
	}
	return f
}

func text(tag rpmhdr.Tag, value string) field {
	f := texts(tag, value)
	f.kind = 6
	return f
}

func numbers[T uint16 | uint32 | uint64](tag rpmhdr.Tag, values ...T) field {
	f := field{tag: tag, count: uint32(len(values))}
	for _, v := range values {
		switch v := any(v).(type) {
		case uint16:
			f.kind, f.data = 3, binary.BigEndian.AppendUint16(f.data, v)
		case uint32:
			f.kind, f.data = 4, binary.BigEndian.AppendUint32(f.data, v)
		case uint64:
			f.kind, f.data = 5, binary.BigEndian.AppendUint64(f.data, v)
		}
	}
	return f
}

func binaryField(tag rpmhdr.Tag, value string) field {
	return field{tag: tag, kind: 7, count: uint32(len(value)), data: []byte(value)}
}

func index(tag rpmhdr.Tag, kind uint32, offset int, count uint32) []byte {
	var e []byte
	for _, v := range []uint32{uint32(tag), kind, uint32(int32(offset)), count} {
		e = binary.BigEndian.AppendUint32(e, v)
	}
	return e
}

// build makes a header: an immutable region of the fields, and the dribble after
// it.
func build(fields []field, dribble ...field) []byte {
	var rows, data []byte
	add := func(f field) {
		align := map[uint32]int{3: 2, 4: 4, 5: 8}[f.kind]
		for align > 0 && len(data)%align != 0 {
			data = append(data, 0)
		}
		rows = append(rows, index(f.tag, f.kind, len(data), f.count)...)
		data = append(data, f.data...)
	}
	for _, f := range fields {
		add(f)
	}
	region := index(rpmhdr.HeaderImmutable, 7, len(data), 16)
	data = append(data, index(rpmhdr.HeaderImmutable, 7, -len(rows)-16, 16)...)
	rows = append(region, rows...)
	for _, f := range dribble {
		add(f)
	}
	return counted(rows, data)
}

// legacy makes a header without a region.
func legacy(fields ...field) []byte {
	blob := build(fields)
	data := blob[8+16*(len(fields)+1):]
	return counted(blob[24:24+16*len(fields)], data[:len(data)-16])
}

func counted(rows, data []byte) []byte {
	blob := binary.BigEndian.AppendUint32(nil, uint32(len(rows)/16))
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(data)))
	return slices.Concat(blob, rows, data)
}

// replace returns fields with one exchanged by its tag, or taken out if with is
// empty.
func replace(fields []field, tag rpmhdr.Tag, with ...field) []field {
	i := slices.IndexFunc(fields, func(f field) bool { return f.tag == tag })
	if i < 0 {
		panic(fmt.Sprintf("no %v to replace", tag))
	}
	return slices.Concat(fields[:i], with, fields[i+1:])
}
